/** Versions and aliases of state machines over the API: publish, list, delete; create, update, describe, delete and list aliases. */
import { machineArn, parseArn } from '../../workflow-asl/arns.ts';
import { ALIASES_MAX, VERSIONS_MAX, type Alias, type PublishedVersion, type Route } from '../../workflow-asl/machine-versions.ts';
import type { MachineRecord } from '../../workflow-asl/machine-store.ts';
import { arnField, maxResults, nameField, nextToken, optionalText, pageToken, seconds, text, type Fields } from './request-fields.ts';
import { errors } from './states-errors.ts';
import type { Operations, StatesBlockParts } from './states.ts';

const DESCRIPTION_MAX = 256;
const ALIAS_NAME = /^(?=.*[a-zA-Z_\-.])[a-zA-Z0-9_\-.]+$/;

export const versionArn = (machine: string, version: number): string => `${machineArn(machine)}:${version}`;
export const aliasArn = (machine: string, alias: string): string => `${machineArn(machine)}:${alias}`;

/** The machine of an ARN that names it and nothing more. */
export async function machineNamed({ store }: Pick<StatesBlockParts, 'store'>, fields: Fields): Promise<MachineRecord> {
  const record = await store.find(arnField(fields, 'stateMachineArn', ['stateMachine']).rest);
  if (!record) throw errors.machineDoesNotExist(text(fields, 'stateMachineArn'));
  return record;
}

/** Publishes what the machine is now; the same revision twice is one version. */
export async function publish({ store, clock, uuid }: StatesBlockParts, machine: MachineRecord, description: string | undefined): Promise<PublishedVersion> {
  await store.keep(machine.version);
  const record = machine.declared || machine.revisionId !== undefined ? machine : await store.update(machine.name, (now) => {
    if (now.version !== machine.version || now.roleArn !== machine.roleArn) throw errors.conflict('The state machine is being updated by another request');
    return now.revisionId === undefined ? { ...now, revisionId: uuid() } : now;
  });
  if (!record) throw errors.machineDoesNotExist(machineArn(machine.name));
  const same = (version: PublishedVersion | undefined): boolean => version?.definition === record.version && version.revisionId === record.revisionId;
  const { versions } = await store.versions.change(record.name, (published) => {
    if (same(published.versions.at(-1))) return published;
    if (published.versions.length >= VERSIONS_MAX) throw errors.quotaExceeded(`versions of a state machine: ${VERSIONS_MAX}`);
    const { version: definition, roleArn, revisionId } = record;
    const added: PublishedVersion = { number: published.last + 1, definition, roleArn, createdAt: clock.now(), ...(revisionId === undefined ? {} : { revisionId }), ...(description === undefined ? {} : { description }) };
    return { ...published, last: added.number, versions: [...published.versions, added] };
  });
  const last = versions.at(-1);
  if (!last) throw errors.resourceNotFound();
  return last;
}

export function versionOperations(parts: StatesBlockParts): Operations {
  const { store, clock } = parts;

  /** Machine and what stands behind its name. */
  function qualified(fields: Fields, member: string): { readonly machine: string; readonly qualifier: string } {
    const [machine = '', qualifier = '', ...more] = arnField(fields, member, ['stateMachine']).rest.split(':');
    if (qualifier === '' || more.length > 0) throw errors.invalidArn(`Resource type not valid in this context: stateMachine`);
    return { machine, qualifier };
  }
  async function aliasOf(fields: Fields): Promise<{ readonly machine: string; readonly alias: Alias }> {
    const { machine, qualifier } = qualified(fields, 'stateMachineAliasArn');
    const alias = (await store.versions.of(machine)).aliases.find(({ name }) => name === qualifier);
    if (!alias) throw errors.resourceNotFound();
    return { machine, alias };
  }
  const routing = (machine: string, { routes }: Alias): Fields[] => routes.map(({ version, weight }) => ({ stateMachineVersionArn: versionArn(machine, version), weight }));
  const described = (machine: string, alias: Alias): Fields => ({
    stateMachineAliasArn: aliasArn(machine, alias.name), name: alias.name, ...(alias.description === undefined ? {} : { description: alias.description }),
    routingConfiguration: routing(machine, alias), creationDate: seconds(alias.createdAt), updateDate: seconds(alias.updatedAt),
  });

  return {
    async PublishStateMachineVersion(fields) {
      const record = await machineNamed(parts, fields);
      const revision = optionalText(fields, 'revisionId');
      if (revision !== undefined && revision !== (record.revisionId ?? 'INITIAL')) throw errors.conflict(`The revision ${revision} is not the present one of the state machine`);
      const version = await publish(parts, record, optionalText(fields, 'description', { max: DESCRIPTION_MAX }));
      return { stateMachineVersionArn: versionArn(record.name, version.number), creationDate: seconds(version.createdAt) };
    },

    async ListStateMachineVersions(fields) {
      const { name } = await machineNamed(parts, fields);
      const { versions } = await store.versions.of(name);
      const { items, next } = page(versions.toReversed(), ({ number }) => number, fields);
      return { stateMachineVersions: items.map(({ number, createdAt }) => ({ stateMachineVersionArn: versionArn(name, number), creationDate: seconds(createdAt) })), ...next };
    },

    /** Executions that run go on with its definition. */
    async DeleteStateMachineVersion(fields) {
      const { machine, qualifier } = qualified(fields, 'stateMachineVersionArn');
      await store.versions.change(machine, (published) => {
        const number = Number(qualifier);
        const naming = published.aliases.filter(({ routes }) => routes.some(({ version }) => version === number));
        if (naming.length > 0) throw errors.conflict(`Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [${naming.map(({ name }) => name).join(', ')}]`);
        const versions = published.versions.filter((version) => version.number !== number);
        return versions.length === published.versions.length ? published : { ...published, versions };
      });
      return {};
    },

    async CreateStateMachineAlias(fields) {
      const name = nameField(fields);
      if (!ALIAS_NAME.test(name)) throw errors.invalidName(name);
      const description = optionalText(fields, 'description', { max: DESCRIPTION_MAX });
      const { machine, routes } = routesOf(fields);
      const now = clock.now();
      const { aliases } = await store.versions.change(machine, (published) => {
        checkVersions(published.versions, routes);
        const there = published.aliases.find((alias) => alias.name === name);
        if (there) {
          if (JSON.stringify(there.routes) === JSON.stringify(routes) && there.description === description) return published;
          throw errors.conflict(`An alias '${name}' exists already, with other routes`);
        }
        if (published.aliases.length >= ALIASES_MAX) throw errors.quotaExceeded(`aliases of a state machine: ${ALIASES_MAX}`);
        return { ...published, aliases: [...published.aliases, { name, routes, createdAt: now, updatedAt: now, ...(description === undefined ? {} : { description }) }] };
      });
      return { stateMachineAliasArn: aliasArn(machine, name), creationDate: seconds(aliases.find((alias) => alias.name === name)?.createdAt ?? now) };
    },

    async UpdateStateMachineAlias(fields) {
      const { machine, alias } = await aliasOf(fields);
      const description = optionalText(fields, 'description', { max: DESCRIPTION_MAX });
      const wanted = fields['routingConfiguration'] === undefined ? undefined : routesOf(fields);
      if (wanted === undefined && description === undefined) throw errors.validation('Either the description or the routing configuration must be specified');
      if (wanted && wanted.machine !== machine) throw errors.validation('Routing configuration must name versions of the state machine of the alias');
      const updatedAt = clock.now();
      await store.versions.change(machine, (published) => {
        if (!published.aliases.some(({ name }) => name === alias.name)) throw errors.resourceNotFound();
        if (wanted) checkVersions(published.versions, wanted.routes);
        const changed = (one: Alias): Alias => (one.name === alias.name ? { ...one, updatedAt, ...(wanted ? { routes: wanted.routes } : {}), ...(description === undefined ? {} : { description }) } : one);
        return { ...published, aliases: published.aliases.map(changed) };
      });
      return { updateDate: seconds(updatedAt) };
    },

    async DescribeStateMachineAlias(fields) {
      const { machine, alias } = await aliasOf(fields);
      return described(machine, alias);
    },

    async DeleteStateMachineAlias(fields) {
      const { machine, alias } = await aliasOf(fields);
      await store.versions.change(machine, (published) => ({ ...published, aliases: published.aliases.filter(({ name }) => name !== alias.name) }));
      return {};
    },

    async ListStateMachineAliases(fields) {
      // The ARN of a version asks for those that name it.
      const [name = '', number] = arnField(fields, 'stateMachineArn', ['stateMachine']).rest.split(':');
      if (!(await store.find(name))) throw errors.machineDoesNotExist(text(fields, 'stateMachineArn'));
      const { aliases } = await store.versions.of(name);
      const found = aliases.filter(({ routes }) => number === undefined || routes.some(({ version }) => version === Number(number))).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const { items, next } = page(found, (alias) => alias.name, fields);
      return { stateMachineAliases: items.map((alias) => ({ stateMachineAliasArn: aliasArn(name, alias.name), creationDate: seconds(alias.createdAt) })), ...next };
    },
  };
}

/** A page told by the last item that it holds. */
function page<T>(all: readonly T[], idOf: (item: T) => string | number, fields: Fields): { readonly items: readonly T[]; readonly next: Fields } {
  const after = nextToken(fields);
  const from = after === undefined ? 0 : all.findIndex((item) => idOf(item) === after) + 1;
  const items = all.slice(from, from + maxResults(fields));
  const last = items.at(-1);
  return { items, next: last !== undefined && from + items.length < all.length ? { nextToken: pageToken(idOf(last)) } : {} };
}

function routesOf(fields: Fields): { readonly machine: string; readonly routes: readonly Route[] } {
  const { routingConfiguration: given } = fields;
  if (!Array.isArray(given) || given.length < 1 || given.length > 2) throw errors.validation("1 validation error detected: Value at 'routingConfiguration' failed to satisfy constraint: Member must have length between 1 and 2");
  const items = given as readonly { readonly stateMachineVersionArn?: unknown; readonly weight?: unknown }[];
  const arns = items.map(({ stateMachineVersionArn: arn }) => String(arn));
  const named = arns.map((arn) => parseArn(arn)?.rest.split(':') ?? []);
  if (named.some(([, number]) => !/^\d+$/.test(number ?? ''))) throw errors.validation(`Routing configuration must contain state machine version ARNs. Received: [${arns.join(', ')}]`);
  if (new Set(arns).size !== arns.length) throw errors.validation(`Routing configuration must contain distinct state machine version ARNs. Received: [${arns.join(', ')}]`);
  const [first = []] = named;
  if (named.some(([machine]) => machine !== first[0])) throw errors.validation('Routing configuration must contain versions of one state machine');
  const weights = items.map(({ weight }) => weight);
  if (!weights.every((weight) => typeof weight === 'number' && Number.isInteger(weight) && weight >= 0 && weight <= 100)) throw errors.validation('Weights are whole numbers from 0 to 100');
  if (weights.reduce<number>((sum, weight) => sum + Number(weight), 0) !== 100) throw errors.validation(`Sum of routing configuration weights must equal 100. Received: [${weights.join(', ')}]`);
  return { machine: first[0] ?? '', routes: named.map(([, number], at) => ({ version: Number(number), weight: Number(weights[at]) })) };
}

function checkVersions(versions: readonly PublishedVersion[], routes: readonly Route[]): void {
  if (!routes.every(({ version }) => versions.some(({ number }) => number === version))) throw errors.resourceNotFound();
}
