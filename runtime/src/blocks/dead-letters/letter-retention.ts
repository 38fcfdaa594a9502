/**
 * How long dead letters stay, and how many: of each topic and each binding those younger than `deadLetterRetention`, the newest
 * `deadLettersMax` of them (metadata of their component; what has none any more goes by the defaults). Whatever these say, the
 * ledger itself keeps the newest 10,000 of an app.
 *
 * Several sidecars of an app may look at once: removing is the same however often it is done.
 */
import type { Clock, DeadLetterRow, Ledger } from '@mecha/components/kit';
import { runtimeOption } from '@mecha/components/kit/metadata.ts';
import type { ComponentLookup } from '../../component-set.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { newestFirst, sourceOf, type LetterSource } from './letter-query.ts';

export interface LetterRetentionParts {
  readonly appId: string;
  readonly ledger: Pick<Ledger, 'commit' | 'deadLetters'>;
  readonly components: Pick<ComponentLookup, 'find'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Letters removed in one transaction. */
const REMOVE_STEP = 500;

/** What one look finds of one source. */
interface Found {
  readonly source: LetterSource;
  readonly retentionMs: number;
  readonly most: number;
  kept: number;
  tooOld: number;
  tooMany: number;
}

export class LetterRetention {
  readonly #parts: LetterRetentionParts;
  /** Sources that the metric has told of. */
  #told = new Map<string, LetterSource>();

  constructor(parts: LetterRetentionParts) {
    this.#parts = parts;
  }

  /** Removes what is over, and tells how many there are. Rejects when the ledger does. */
  async sweep(): Promise<void> {
    const { appId, ledger, clock } = this.#parts;
    const now = clock.now();
    const bySource = new Map<string, Found>();
    const over: string[] = [];
    for await (const row of newestFirst(ledger, appId, {})) {
      const found = this.#found(row, bySource);
      if (row.at <= now - found.retentionMs) found.tooOld += 1;
      else if (found.kept >= found.most) found.tooMany += 1;
      else {
        found.kept += 1;
        continue;
      }
      over.push(row.id);
    }
    for (let from = 0; from < over.length; from += REMOVE_STEP) await ledger.commit(over.slice(from, from + REMOVE_STEP).map((id) => ({ type: 'dead-letter.remove', id })));
    this.#tell(bySource);
  }

  #found(row: DeadLetterRow, bySource: Map<string, Found>): Found {
    const source = sourceOf(row);
    const key = JSON.stringify([source.kind, source.component, source.topic]);
    let found = bySource.get(key);
    if (!found) {
      const { metadata } = this.#parts.components.find(source.kind === 'topic' ? 'pubsub' : 'bindings', source.component) ?? {};
      found = { source, retentionMs: runtimeOption('deadLetterRetention', metadata), most: runtimeOption('deadLettersMax', metadata), kept: 0, tooOld: 0, tooMany: 0 };
      bySource.set(key, found);
    }
    return found;
  }

  #tell(bySource: ReadonlyMap<string, Found>): void {
    const { log, metrics } = this.#parts;
    for (const [key, { component, topic }] of this.#told) if (!bySource.has(key)) metrics.gauge('dead_letters', { component, topic }, 0);
    this.#told = new Map(Array.from(bySource, ([key, { source }]) => [key, source]));
    for (const { source, kept, tooOld, tooMany } of bySource.values()) {
      const labels = { component: source.component, topic: source.topic };
      metrics.gauge('dead_letters', labels, kept);
      if (tooOld > 0) metrics.count('dead_letter_dropped_count', { ...labels, by: 'age' }, tooOld);
      if (tooMany > 0) metrics.count('dead_letter_dropped_count', { ...labels, by: 'number' }, tooMany);
      if (tooOld + tooMany > 0) log.warn({ ...labels, tooOld, tooMany, kept }, 'dead letters were dropped: deadLetterRetention or deadLettersMax of their component');
    }
  }
}
