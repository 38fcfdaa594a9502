/** Activities, and the answers of whoever holds a task's token. */
import { JsonInvalid, parseJson } from '../../asl/json.ts';
import { DEFAULT_LIMITS } from '../../asl/limits.ts';
import { MechaError } from '../../errors.ts';
import { activityArn } from '../../workflow-asl/arns.ts';
import type { ActivityRecord } from '../../workflow-asl/machine-store.ts';
import { readTaskToken, taskToken } from '../../workflow-asl/task-token.ts';
import { exactFailure } from '../../workflow-asl/turn-events.ts';
import { arnField, nameField, optionalText, pageOfNames, seconds, text, type Fields } from './request-fields.ts';
import { errors } from './states-errors.ts';
import { tagsField } from './tags.ts';
import type { Operations, StatesBlockParts } from './states.ts';

const POLL_MS = 60_000;
const TOKEN_MAX = 2048;

export function taskOperations({ engine, store, queue, clock }: StatesBlockParts): Operations {
  async function activityOf(fields: Fields): Promise<ActivityRecord> {
    const { rest } = arnField(fields, 'activityArn', ['activity']);
    const record = await store.findActivity(rest);
    if (!record) throw errors.activityDoesNotExist(text(fields, 'activityArn'));
    return record;
  }
  const described = ({ name, createdAt }: ActivityRecord): Fields => ({ activityArn: activityArn(name), name, creationDate: seconds(createdAt) });

  /** The engine's token of the task, as long as somebody waits for it. */
  async function tokenOf(fields: Fields): Promise<string> {
    const task = readTaskToken(text(fields, 'taskToken', { max: TOKEN_MAX }));
    if (!task) throw errors.invalidToken();
    const found = await engine.findActivity(task);
    if (found !== undefined) return found;
    throw (await engine.queries.get(task.instanceId, { payloads: false })) ? errors.taskTimedOut() : errors.taskDoesNotExist();
  }
  async function answered(work: Promise<void>): Promise<Fields> {
    try {
      await work;
      return {};
    } catch (error) {
      if (error instanceof MechaError && error.code === 'ERR_WORKFLOW_ACTIVITY_GONE') throw errors.taskTimedOut();
      throw error;
    }
  }

  return {
    async CreateActivity(fields) {
      const name = nameField(fields);
      const record = { name, createdAt: clock.now() };
      const tags = tagsField(fields);
      const isNew = await store.createActivity(record);
      if (isNew && Object.keys(tags).length > 0) await store.changeTags(`activity:${name}`, () => tags);
      const made = isNew ? record : ((await store.findActivity(name)) ?? record);
      return { activityArn: activityArn(name), creationDate: seconds(made.createdAt) };
    },
    async DeleteActivity(fields) {
      await store.removeActivity(arnField(fields, 'activityArn', ['activity']).rest);
      return {};
    },
    async DescribeActivity(fields) {
      return described(await activityOf(fields));
    },
    async ListActivities(fields) {
      const { names, nextToken } = pageOfNames(await store.activityNames(), fields);
      const records = (await Promise.all(names.map((name) => store.findActivity(name)))).filter((record) => record !== undefined);
      return { activities: records.map(described), ...(nextToken === undefined ? {} : { nextToken }) };
    },

    /** Waits up to a minute; then the answer has no token. */
    async GetActivityTask(fields, { signal }) {
      const { name } = await activityOf(fields);
      const workerName = optionalText(fields, 'workerName', { max: 80 });
      const request = await queue.take(name, { waitMs: POLL_MS, signal, ...(workerName === undefined ? {} : { workerName }) });
      return request ? { taskToken: taskToken(request), input: request.input ?? 'null' } : {};
    },

    async SendTaskSuccess(fields) {
      const token = await tokenOf(fields);
      const output = text(fields, 'output');
      try {
        parseJson(output, DEFAULT_LIMITS.jsonDepthMax);
      } catch (error) {
        if (error instanceof JsonInvalid) throw errors.invalidOutput(error.message);
        throw error;
      }
      return answered(engine.completeActivity(token, { kind: 'completed', result: output }));
    },
    async SendTaskFailure(fields) {
      const token = await tokenOf(fields);
      const error = optionalText(fields, 'error', { max: 256 });
      const cause = optionalText(fields, 'cause', { max: 32_768 });
      return answered(engine.completeActivity(token, { kind: 'failed', failure: exactFailure({ ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) }) }));
    },
    async SendTaskHeartbeat(fields) {
      return answered(engine.heartbeat(await tokenOf(fields)));
    },
  };
}
