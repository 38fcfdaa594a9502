/** Map runs over the API: the children of a distributed Map, counted while they run and after. */
import type { WorkflowRow } from '@mecha/components/kit';
import { mapRunCounts } from '../../asl/map-run-counts.ts';
import type { MapRunCounts } from '../../asl/messages.ts';
import type { MapRunDoing } from '../../asl/snapshot.ts';
import { arnOf, executionNames, machineArn, mapRunAttribute, STATES_WORKFLOW, TOLD_EVENT } from '../../workflow-asl/arns.ts';
import type { Kept, MapRunRecord } from '../../workflow-asl/states-executor.ts';
import { keptOf } from './kept-snapshot.ts';
import { arnField, maxResults, nextToken, pageToken, seconds, text, type Fields } from './request-fields.ts';
import { errors } from './states-errors.ts';
import type { Operations, StatesBlockParts } from './states.ts';

export function mapRunOperations(parts: StatesBlockParts): Operations {
  const { engine } = parts;

  async function found(fields: Fields): Promise<{ readonly row: WorkflowRow; readonly run: MapRunRecord; readonly doing: MapRunDoing | undefined }> {
    arnField(fields, 'mapRunArn', ['mapRun']);
    const arn = text(fields, 'mapRunArn');
    const { instances } = await engine.queries.list({ attribute: { name: mapRunAttribute(arn), value: 'parent' }, limit: 1 });
    const [row] = instances;
    const kept = row && (await keptOf(parts, row));
    const run = kept?.mapRuns?.find((one) => one.arn === arn);
    if (!row || !run) throw errors.resourceNotFound();
    return { row, run, doing: doingOf(kept, arn) };
  }

  return {
    async ListMapRuns(fields) {
      const { tail } = arnField(fields, 'executionArn', ['execution']);
      const row = await engine.queries.get(tail, { payloads: false });
      if (row?.name !== STATES_WORKFLOW) throw errors.executionDoesNotExist(String(fields['executionArn']));
      const runs = ((await keptOf(parts, row))?.mapRuns ?? []).toReversed();
      const after = nextToken(fields);
      const from = typeof after === 'string' ? runs.findIndex(({ arn }) => arn === after) + 1 : 0;
      const page = runs.slice(from, from + maxResults(fields));
      const last = page.at(-1);
      return {
        mapRuns: page.map(({ arn, startedMs, stoppedMs }) => ({
          executionArn: arnOf(tail), mapRunArn: arn, stateMachineArn: machineArn(executionNames(tail).machine), startDate: seconds(startedMs), ...(stoppedMs === undefined ? {} : { stopDate: seconds(stoppedMs) }),
        })),
        ...(last !== undefined && from + page.length < runs.length ? { nextToken: pageToken(last.arn) } : {}),
      };
    },

    async DescribeMapRun(fields) {
      const { row, run, doing } = await found(fields);
      const counts = countsOf(run.status === 'RUNNING' && doing ? mapRunCounts(doing) : (run.counts ?? { ...NONE, pending: run.total }));
      return {
        mapRunArn: run.arn, executionArn: arnOf(row.instanceId), status: run.status, startDate: seconds(run.startedMs), ...(run.stoppedMs === undefined ? {} : { stopDate: seconds(run.stoppedMs) }),
        maxConcurrency: doing?.concurrency ?? run.maxConcurrency, toleratedFailureCount: doing?.toleratedCount ?? run.toleratedFailureCount, toleratedFailurePercentage: doing?.toleratedPercentage ?? run.toleratedFailurePercentage,
        itemCounts: counts, executionCounts: counts, redriveCount: 0,
      };
    },

    /** A run that has ended takes no change. */
    async UpdateMapRun(fields) {
      const { row, run } = await found(fields);
      const change = {
        ...numberOf(fields, 'maxConcurrency', Number.MAX_SAFE_INTEGER, true),
        ...numberOf(fields, 'toleratedFailureCount', Number.MAX_SAFE_INTEGER, true),
        ...numberOf(fields, 'toleratedFailurePercentage', 100, false),
      };
      if (run.status !== 'RUNNING') throw errors.validation('The map run is not RUNNING');
      await engine.operations.raiseEvent(row.instanceId, TOLD_EVENT, JSON.stringify({ type: 'mapRunChanged', mapRunArn: run.arn, ...change }));
      return {};
    },
  };
}

const NONE: MapRunCounts = { pending: 0, running: 0, succeeded: 0, failed: 0, timedOut: 0, aborted: 0 };

/** Children stand for items and for executions: a batch counts as one. */
function countsOf(counts: MapRunCounts): Fields {
  return { ...counts, total: Object.values<number>({ ...counts }).reduce((sum, count) => sum + count, 0), resultsWritten: 0, failuresNotRedrivable: 0, pendingRedrive: 0 };
}

function doingOf(kept: Kept | undefined, arn: string): MapRunDoing | undefined {
  for (const { doing } of Object.values(kept?.snapshot?.threads ?? {})) if (doing.kind === 'mapRun' && doing.arn === arn) return doing;
  return undefined;
}

function numberOf(fields: Fields, name: string, most: number, whole: boolean): Readonly<Record<string, number>> {
  const value = fields[name];
  if (value === undefined || value === null) return {};
  if (typeof value !== 'number' || !(value >= 0 && value <= most) || (whole && !Number.isInteger(value))) throw errors.validation(`1 validation error detected: Value '${JSON.stringify(value)}' at '${name}' failed to satisfy constraint: Member must have value between 0 and ${most}`);
  return { [name]: value };
}
