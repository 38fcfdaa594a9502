/** The app behind a subscription of `pubsub.ts`. */
import type { Delivery, Settlement } from '../pubsub.ts';

export const ACK: Settlement = { action: 'ack' };
export const textOf = (delivery: Delivery | undefined): string => Buffer.from(delivery?.data ?? []).toString();

/** Keeps what it was given, settles as told, and says when something has come about. */
export function consumer(settle: (delivery: Delivery, seenBefore: number) => Settlement | Promise<Settlement> = () => ACK) {
  const seen: Delivery[] = [];
  const counts = new Map<string, number>();
  const waiting = new Set<() => void>();
  let inFlight = 0;
  let settled = 0;
  let inFlightMost = 0;
  const changed = (): void => {
    for (const look of waiting) look();
  };
  return {
    seen,
    texts: (): readonly string[] => seen.map(textOf),
    get inFlight() {
      return inFlight;
    },
    get inFlightMost() {
      return inFlightMost;
    },
    get settled() {
      return settled;
    },
    async deliver(delivery: Delivery): Promise<Settlement> {
      inFlightMost = Math.max(inFlightMost, ++inFlight);
      const before = counts.get(delivery.id) ?? 0;
      counts.set(delivery.id, before + 1);
      seen.push(delivery);
      changed();
      const settlement = await settle(delivery, before);
      inFlight--;
      settled++;
      changed();
      return settlement;
    },
    /** Resolves as soon as `holds`; looked at on every delivery and settlement. */
    until(holds: () => boolean): Promise<void> {
      return new Promise((resolve) => {
        const look = (): void => {
          if (!holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
    hasSeen(...texts: readonly string[]): Promise<void> {
      return this.until(() => texts.every((text) => seen.some((delivery) => textOf(delivery) === text)));
    },
  };
}
export type Consumer = ReturnType<typeof consumer>;
