/** Removes instances that ended long enough ago, each status after its own time, in bounded steps. */
import type { Clock, WorkflowStatus } from '@mecha/components/kit';
import type { EngineLog, RetentionPolicy } from './engine-parts.ts';
import type { Operations } from './operations.ts';

const LOOK_EVERY_MS = 60_000;
/** Instances that one look removes; while there are more, the next comes soon. */
const STEP_MAX = 1000;
const NEXT_STEP_MS = 1000;

export interface RetentionParts {
  readonly clock: Clock;
  readonly log: EngineLog;
  readonly policy: RetentionPolicy;
  readonly purgeMany: Operations['purgeMany'];
}

export class Retention {
  readonly #parts: RetentionParts;
  #cancel = (): void => undefined;
  #stopped = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#kept().length > 0) this.#next(LOOK_EVERY_MS);
  }
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #kept(): [WorkflowStatus, number][] {
    const { completedMs, failedMs, terminatedMs, canceledMs } = this.#parts.policy;
    const kept: [WorkflowStatus, number | undefined][] = [['completed', completedMs], ['failed', failedMs], ['terminated', terminatedMs], ['canceled', canceledMs]];
    return kept.flatMap(([status, ms]) => (ms === undefined ? [] : [[status, ms]]));
  }

  #next(ms: number): void {
    if (!this.#stopped) this.#cancel = this.#parts.clock.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, log, purgeMany } = this.#parts;
    let more = false;
    try {
      for (const [status, ms] of this.#kept()) more = (await purgeMany({ statuses: [status], completedBefore: clock.now() - ms }, { max: STEP_MAX })) >= STEP_MAX || more;
    } catch (error) {
      log.warn({ err: error }, 'workflows past their retention could not be removed; tried again');
    }
    this.#next(more ? NEXT_STEP_MS : LOOK_EVERY_MS);
  }
}
