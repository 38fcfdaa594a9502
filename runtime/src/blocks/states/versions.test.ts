/** Versions, aliases and tags of state machines, and what executions are started from. */
import { describe, expect, test } from 'vitest';
import { createStatesBench, ROLE } from './testing.ts';

const bench = createStatesBench();
const { call, failing } = bench;
const passing = (Result: unknown): object => ({ StartAt: 'S', States: { S: { Type: 'Pass', Result, End: true } } });
const publish = async (stateMachineArn: string, more: object = {}): Promise<string> => (await call<{ stateMachineVersionArn: string }>('PublishStateMachineVersion', { stateMachineArn, ...more })).stateMachineVersionArn;
const update = (stateMachineArn: string, definition: object): Promise<unknown> => call('UpdateStateMachine', { stateMachineArn, definition: JSON.stringify(definition) });
const output = async (arn: string): Promise<string | undefined> => (await bench.ended(await bench.started(arn))).output;

/** A machine with versions 1 and 2, whose results are their numbers. */
async function machine(): Promise<{ arn: string; versions: string[] }> {
  const arn = await bench.create('m', passing(1));
  const first = await publish(arn, { description: 'the first' });
  await update(arn, passing(2));
  return { arn, versions: [first, await publish(arn)] };
}

/** What `operation` writes of the machine is held until `meanwhile` is over. */
async function overtaken(operation: () => Promise<unknown>, meanwhile: () => Promise<unknown>): Promise<string> {
  const { ledger } = bench;
  const commit = ledger.commit.bind(ledger);
  const [holding, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  ledger.commit = async (batch) => {
    if (batch.some((one) => one.type === 'state.set' && one.key === 'machine/m')) {
      ledger.commit = commit;
      holding.resolve();
      await gate.promise;
    }
    return commit(batch);
  };
  const outcome = operation().then(() => 'done', (error: unknown) => (error as { code: string }).code);
  await holding.promise;
  await meanwhile();
  gate.resolve();
  return outcome;
}

describe('requests at the same time', () => {
  const described = (stateMachineArn: string): Promise<object> => call('DescribeStateMachine', { stateMachineArn });
  const role = `${ROLE}2`;

  test('two updates of different members are both kept', async () => {
    const arn = await bench.create('m', passing(1));
    expect(await overtaken(() => call('UpdateStateMachine', { stateMachineArn: arn, roleArn: role }), () => update(arn, passing(2)))).toBe('done');
    expect(await described(arn)).toMatchObject({ definition: JSON.stringify(passing(2)), roleArn: role });
  });

  test('publishing takes back no update: it is refused', async () => {
    const arn = await bench.create('m', passing(1));
    expect(await overtaken(() => publish(arn), () => update(arn, passing(2)))).toBe('ConflictException');
    expect(await described(arn)).toMatchObject({ definition: JSON.stringify(passing(2)) });
    expect(await overtaken(() => update(arn, passing(3)), () => publish(arn))).toBe('done');
    expect(await output(`${arn}:1`)).toBe('2');
  });

  test('publishing twice makes one version', async () => {
    const arn = await bench.create('m', passing(1));
    expect(await overtaken(() => publish(arn), () => publish(arn))).toBe('done');
    expect(await publish(arn)).toBe(`${arn}:1`);
  });

  test('an update brings back nothing that was deleted meanwhile', async () => {
    const arn = await bench.create('m', passing(1));
    expect(await overtaken(() => update(arn, passing(2)), () => call('DeleteStateMachine', { stateMachineArn: arn }))).toBe('StateMachineDoesNotExist');
    expect(await failing('DescribeStateMachine', { stateMachineArn: arn })).toMatch(/^StateMachineDoesNotExist: /);
  });
});

describe('versions', () => {
  test('a version keeps its definition, is listed newest first, described, and started from', async () => {
    const { arn, versions } = await machine();
    await update(arn, passing(3));
    expect(versions).toEqual([`${arn}:1`, `${arn}:2`]);
    expect(await Promise.all([...versions, arn].map(output))).toEqual(['1', '2', '3']);
    const { stateMachineVersions } = await call<{ stateMachineVersions: { stateMachineVersionArn: string }[] }>('ListStateMachineVersions', { stateMachineArn: arn });
    expect(stateMachineVersions.map(({ stateMachineVersionArn }) => stateMachineVersionArn)).toEqual(versions.toReversed());
    const page = await call<{ stateMachineVersions: object[]; nextToken: string }>('ListStateMachineVersions', { stateMachineArn: arn, maxResults: 1 });
    expect(await call('ListStateMachineVersions', { stateMachineArn: arn, nextToken: page.nextToken })).toMatchObject({ stateMachineVersions: [{ stateMachineVersionArn: versions[0] }] });
    expect(await call('DescribeStateMachine', { stateMachineArn: versions[0] })).toMatchObject({ stateMachineArn: versions[0], definition: JSON.stringify(passing(1)), description: 'the first', name: 'm' });
  });

  test('the same revision is published once, another one than the present is refused, and publish goes with create and update', async () => {
    const { stateMachineArn: arn, stateMachineVersionArn } = await call<{ stateMachineArn: string; stateMachineVersionArn: string }>('CreateStateMachine', { name: 'm', definition: JSON.stringify(passing(1)), roleArn: ROLE, publish: true });
    expect(stateMachineVersionArn).toBe(`${arn}:1`);
    expect(await publish(arn)).toBe(`${arn}:1`);
    const { revisionId } = await call<{ revisionId: string }>('DescribeStateMachine', { stateMachineArn: arn });
    expect(await publish(arn, { revisionId })).toBe(`${arn}:1`);
    expect(await failing('PublishStateMachineVersion', { stateMachineArn: arn, revisionId: 'old' })).toMatch(/^ConflictException: /);
    expect(await call('UpdateStateMachine', { stateMachineArn: arn, definition: JSON.stringify(passing(2)), publish: true, versionDescription: 'two' })).toMatchObject({ stateMachineVersionArn: `${arn}:2` });
    expect(await failing('UpdateStateMachine', { stateMachineArn: arn, definition: '{}', versionDescription: 'x' })).toBe('ValidationException: Version description can only be set when publish is true');
  });

  test('a deleted version is not started from, its number is not given again, and one that an alias names stays', async () => {
    const { arn, versions } = await machine();
    await call('CreateStateMachineAlias', { name: 'live', routingConfiguration: [{ stateMachineVersionArn: versions[1], weight: 100 }] });
    expect(await failing('DeleteStateMachineVersion', { stateMachineVersionArn: versions[1] })).toBe('ConflictException: Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [live]');
    await call('DeleteStateMachineAlias', { stateMachineAliasArn: `${arn}:live` });
    await call('DeleteStateMachineVersion', { stateMachineVersionArn: versions[1] });
    expect(await failing('StartExecution', { stateMachineArn: versions[1] })).toBe(`StateMachineDoesNotExist: State Machine Does Not Exist: '${versions[1]}'`);
    await update(arn, passing(4));
    expect(await publish(arn)).toBe(`${arn}:3`);
  });

  test('what a resource declares can be published too, and a deleted machine takes versions and aliases along', async () => {
    await bench.restart([{ name: 'yaml', type: 'STANDARD', definition: JSON.stringify(passing(7)) }]);
    const declared = 'arn:aws:states:us-east-1:000000000000:stateMachine:yaml';
    const version = await publish(declared);
    await bench.restart([{ name: 'yaml', type: 'STANDARD', definition: JSON.stringify(passing(8)) }]);
    expect([await output(version), await output(declared)]).toEqual(['7', '8']);
    const { arn } = await machine();
    await call('DeleteStateMachine', { stateMachineArn: arn });
    const again = await bench.create('m', passing(9));
    expect(await call('ListStateMachineVersions', { stateMachineArn: again })).toEqual({ stateMachineVersions: [] });
  });
});

describe('aliases', () => {
  test('an alias routes by weight; its executions say so and are found by it', async () => {
    const { versions, arn } = await machine();
    const [first, second] = versions;
    const { stateMachineAliasArn: alias } = await call<{ stateMachineAliasArn: string }>('CreateStateMachineAlias', { name: 'live', description: 'all', routingConfiguration: [{ stateMachineVersionArn: first, weight: 100 }] });
    expect(alias).toBe(`${arn}:live`);
    const execution = await bench.started(alias);
    expect(await bench.ended(execution)).toMatchObject({ output: '1', stateMachineVersionArn: first, stateMachineAliasArn: alias, stateMachineArn: arn });
    await call('UpdateStateMachineAlias', { stateMachineAliasArn: alias, routingConfiguration: [{ stateMachineVersionArn: first, weight: 0 }, { stateMachineVersionArn: second, weight: 100 }] });
    expect(await Promise.all(Array.from({ length: 5 }, () => output(alias)))).toEqual(['2', '2', '2', '2', '2']);
    await call('UpdateStateMachineAlias', { stateMachineAliasArn: alias, routingConfiguration: [{ stateMachineVersionArn: first, weight: 50 }, { stateMachineVersionArn: second, weight: 50 }] });
    const outputs = new Set(await Promise.all(Array.from({ length: 60 }, () => output(alias))));
    expect([...outputs].sort()).toEqual(['1', '2']);
    expect(await call('DescribeStateMachineAlias', { stateMachineAliasArn: alias })).toMatchObject({ name: 'live', description: 'all', routingConfiguration: [{ stateMachineVersionArn: first, weight: 50 }, { stateMachineVersionArn: second, weight: 50 }] });
    const listed = async (stateMachineArn: string): Promise<number> => (await call<{ executions: object[] }>('ListExecutions', { stateMachineArn })).executions.length;
    expect([await listed(alias), await listed(arn)]).toEqual([66, 66]);
    expect((await listed(first ?? '')) + (await listed(second ?? ''))).toBe(66);
    expect(await call('ListStateMachineAliases', { stateMachineArn: arn })).toMatchObject({ stateMachineAliases: [{ stateMachineAliasArn: alias }] });
  });

  test('a nested execution follows an alias', async () => {
    const { versions } = await machine();
    const { stateMachineAliasArn: alias } = await call<{ stateMachineAliasArn: string }>('CreateStateMachineAlias', { name: 'live', routingConfiguration: [{ stateMachineVersionArn: versions[0], weight: 100 }] });
    const outer = await bench.create('outer', { StartAt: 'S', States: { S: { Type: 'Task', Resource: 'arn:aws:states:::states:startExecution.sync:2', Parameters: { StateMachineArn: alias }, OutputPath: '$.Output', End: true } } });
    expect(await output(outer)).toBe('1');
  });

  test('routes that are none are refused in the words of the service', async () => {
    const { arn, versions } = await machine();
    const create = (...routes: [string, number][]): Promise<string> => failing('CreateStateMachineAlias', { name: 'live', routingConfiguration: routes.map(([stateMachineVersionArn, weight]) => ({ stateMachineVersionArn, weight })) });
    const [first = '', second = ''] = versions;
    expect(await create([first, 70], [second, 31])).toBe('ValidationException: Sum of routing configuration weights must equal 100. Received: [70, 31]');
    expect(await create([first, 50], [first, 50])).toMatch(/^ValidationException: Routing configuration must contain distinct state machine version ARNs/);
    expect(await create([arn, 100])).toMatch(/^ValidationException: Routing configuration must contain state machine version ARNs/);
    expect(await create([`${arn}:9`, 100])).toBe('ResourceNotFound: Request references a resource that does not exist.');
    expect(await create([first, 100])).toBe('nothing');
    expect(await create([first, 100])).toBe('nothing');
    expect(await create([second, 100])).toMatch(/^ConflictException: /);
    expect(await failing('CreateStateMachineAlias', { name: '12', routingConfiguration: [{ stateMachineVersionArn: first, weight: 100 }] })).toBe("InvalidName: Invalid Name: '12'");
    expect(await failing('DescribeStateMachineAlias', { stateMachineAliasArn: `${arn}:none` })).toMatch(/^ResourceNotFound/);
  });
});

describe('tags', () => {
  test('are given with create and later, changed, taken away, and go with what they were on', async () => {
    const arn = await bench.create('m', passing(1), { tags: [{ key: 'team', value: 'a' }] });
    await call('TagResource', { resourceArn: arn, tags: [{ key: 'team', value: 'b' }, { key: 'env', value: 'test' }] });
    await call('UntagResource', { resourceArn: arn, tagKeys: ['env'] });
    expect(await call('ListTagsForResource', { resourceArn: arn })).toEqual({ tags: [{ key: 'team', value: 'b' }] });
    const { activityArn } = await call<{ activityArn: string }>('CreateActivity', { name: 'act', tags: [{ key: 'k', value: 'v' }] });
    expect(await call('ListTagsForResource', { resourceArn: activityArn })).toEqual({ tags: [{ key: 'k', value: 'v' }] });
    await call('DeleteStateMachine', { stateMachineArn: arn });
    expect(await failing('ListTagsForResource', { resourceArn: arn })).toMatch(/^ResourceNotFound/);
    expect(await call('ListTagsForResource', { resourceArn: await bench.create('m', passing(1)) })).toEqual({ tags: [] });
  });

  test('are fifty at most', async () => {
    const arn = await bench.create('m', passing(1));
    const tags = Array.from({ length: 50 }, (_, n) => ({ key: `k${n}`, value: '' }));
    await call('TagResource', { resourceArn: arn, tags });
    expect(await failing('TagResource', { resourceArn: arn, tags: [{ key: 'more', value: '' }] })).toMatch(/^TooManyTags/);
  });
});
