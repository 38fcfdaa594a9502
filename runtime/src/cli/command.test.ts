import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { parseFlags, UsageError } from '../config/options.ts';
import { commandHelp, wordsOf, type CommandContext } from './command.ts';
import { COMMANDS } from './commands.ts';

let folder: string | undefined;
afterEach(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
  folder = undefined;
});

function context(): CommandContext & { readonly text: () => string } {
  let written = '';
  const add = (text: string): void => void (written += text);
  return { env: {}, out: add, err: add, text: () => written };
}

describe.each(COMMANDS)('mecha $name --help', ({ name, load, summary }) => {
  test('tells usage, an example, and every flag in words', async () => {
    const command = await load();
    const help = commandHelp(command);
    expect(command.summary).toBe(summary);
    expect(help).toContain(`Usage: mecha ${name}`);
    expect(help).toMatch(new RegExp(`^ {2}mecha ${name}`, 'm'));
    for (const { flag } of command.options) expect(help).toContain(`--${flag}`);
    for (const { flag, words, noEffect } of command.options) expect(words || noEffect, flag).toBeTruthy();
  });

  test('no flag and no short form stands twice', async () => {
    const { options } = await load();
    const spelt = options.flatMap(({ flag, short }) => (short ? [flag, short] : [flag]));
    expect(spelt).toEqual([...new Set(spelt)]);
  });
});

describe('words of a command', () => {
  const words = (...argv: string[]) => wordsOf(parseFlags(argv, [], 'state'), 'state set KEY VALUE');

  test('may begin with a dash behind --, and numbers with a minus anywhere', () => {
    expect(words('set', 'k', '--', '--x')).toEqual(['set', 'k', '--x']);
    expect(words('set', 'k', '-5')).toEqual(['set', 'k', '-5']);
  });

  test.each([
    [['set', 'k'], 'mecha state set KEY VALUE: VALUE is missing'],
    [['set', 'k', '{"a":', '1}'], "mecha state set KEY VALUE: '1}' is one word too many; quote what holds blanks"],
  ])('%j is refused in words', (argv, message) => {
    expect(() => words(...argv)).toThrow(new UsageError(message));
  });
});

describe('mecha components describe', () => {
  async function describeType(...words: string[]) {
    const { componentsCommand } = await import('./components.ts');
    const world = context();
    await componentsCommand.run(['describe', ...words], world);
    return world.text();
  }
  const document = join(import.meta.dirname, '..', '..', '..', 'components', 'openapi', 'shop-for-tests.yaml');

  test('lists the operations that metadata makes, each with its parameters', async () => {
    expect(await describeType('bindings.openapi')).toContain('--with NAME=VALUE');
    expect(await describeType('bindings.openapi', '--with', `document=${document}`)).toMatch(/ {2}listItems: Lists items\n {4}X-Tenant \(required\): Whose items\n/);
  });

  test('names the metadata that every component of a kind may have', async () => {
    expect(await describeType('bindings.redis')).toMatch(/ {2}and those of every component of this kind: direction, route.*\n\nOperations/);
    expect(await describeType('state.redis')).toContain('of this kind: keyPrefix, outboxPublishPubsub');
  });

  test('says what is wrong with them, and nothing else', async () => {
    const told = async (...words: string[]): Promise<string> => {
      const { componentsCommand } = await import('./components.ts');
      const world = context();
      const error: unknown = await componentsCommand.run(['describe', ...words], world).catch((reason: unknown) => reason);
      expect([error instanceof UsageError, world.text()]).toEqual([true, '']);
      return (error as UsageError).message;
    };
    expect(await told('bindings.openapi', '--with', 'document=no-such-file.yaml')).toMatch(/^the document no-such-file\.yaml cannot be read: ENOENT/);
    expect(await told('bindings.openapi', '--with', 'documnt=a')).toBe('bindings.openapi has no metadata name documnt; did you mean document?');
    expect(await told('bindings.redis', '--with', 'redisHost=a')).toMatch(/^the operations of bindings\.redis do not depend on its metadata/);
  });
});

describe('mecha validate', () => {
  async function validate(files: Readonly<Record<string, string>>, ...flags: string[]) {
    folder = await mkdtemp(join(tmpdir(), 'mecha-validate-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const { validateCommand } = await import('./validate.ts');
    const world = context();
    const code = await validateCommand.run([folder, ...flags], world);
    return { code, lines: world.text().replaceAll(`${folder}/`, '').trimEnd().split('\n') };
  }
  const typo = 'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: a}\nspec:\n  type: state.sqlite\n  metadata:\n  - {name: tableNam, value: x}\n';

  test('an unknown metadata name is an error with file, line and suggestion, and a warning with --lenient', async () => {
    expect(await validate({ 'a.yaml': typo })).toEqual({ code: 1, lines: ['a.yaml:7: error: a: state.sqlite has no metadata name tableNam (spec.metadata[0]); did you mean tableName?', '1 error'] });
    expect(await validate({ 'a.yaml': typo }, '--lenient')).toMatchObject({ code: 0, lines: [expect.stringContaining('a.yaml:7: warning:'), '1 checked, no errors'] });
  });

  test('what a component will not have is told before anything is started, where no secret or template has a say', async () => {
    const binding = (name: string, type: string, metadata: string): string => `apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: ${name}}\nspec:\n  type: bindings.${type}\n  metadata: [${metadata}]\nauth: {secretStore: s}\n---\n`;
    const files = {
      'a.yaml': [
        binding('tick', 'cron', "{name: schedule, value: '* * *'}"),
        binding('mail', 'smtp', '{name: host, value: h}, {name: port, value: 25}, {name: user, value: u}'),
        binding('templated', 'cron', "{name: schedule, value: '{appID}'}"),
        binding('secret', 'smtp', '{name: host, value: h}, {name: port, value: 25}, {name: user, value: u}, {name: password, secretKeyRef: {name: p}}'),
        binding('sideways', 'redis', '{name: redisHost, value: h}, {name: direction, value: outptu}'),
        binding('system', 'localstorage', '{name: rootPath, value: /proc/own}'),
        'apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: s}\nspec: {type: secretstores.local.env}\n',
      ].join(''),
    };
    expect(await validate(files)).toEqual({
      code: 1,
      lines: [
        expect.stringMatching(/^a\.yaml:1: error: tick: "\* \* \*" has 3 fields.* \(spec\.metadata\)$/),
        'a.yaml:9: error: mail: user and password are given both, or neither (spec.metadata)',
        "a.yaml:38: error: sideways: metadata name direction takes input, output, or both with a comma, not 'outptu' (spec.metadata[1])",
        'a.yaml:41: error: system: rootPath must not be in /proc (spec.metadata)',
        '4 errors',
      ],
    });
  });

  test('Configuration files are checked where they are met', async () => {
    const { code, lines } = await validate({ 'config.yaml': 'apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {name: c}\nspec:\n  api: {denid: []}\n' });
    expect({ code, lines }).toEqual({ code: 1, lines: ['config.yaml:5: error: unknown field denid (spec.api.denid); did you mean denied?', '1 error'] });
  });

  test('a run file is checked with what its apps name, and the rest of its folder as resources', async () => {
    const { code, lines } = await validate({
      'mecha.yaml': 'version: 1\napps:\n  - {appDirPath: ., appID: one, resourcesPath: shared.yaml}\n  - {appDirPath: ., appID: two, resourcesPath: shared.yaml}\n',
      'shared.yaml': typo.replace('name: a', 'name: shared'),
      'other.yaml': 'kind: Nothing\napiVersion: dapr.io/v1alpha1\n',
    });
    expect(code).toBe(1);
    expect(lines.filter((line) => line.startsWith('other.yaml:1: error: unknown kind Nothing'))).toHaveLength(1);
    expect(lines.some((line) => line.startsWith('shared.yaml:7: error: shared: state.sqlite has no metadata name tableNam'))).toBe(true);
  });
});
