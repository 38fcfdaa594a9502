/** Trip rules: a CEL expression over a breaker's counts. */
import { messageOf } from '../errors.ts';
import type { CircuitCounts, TripRule } from './circuit-breaker.ts';

const SIMPLE = /^\s*consecutiveFailures\s*(>=?)\s*(\d{1,9})\s*$/;
const COUNTS: readonly (keyof CircuitCounts)[] = ['requests', 'totalSuccesses', 'totalFailures', 'consecutiveSuccesses', 'consecutiveFailures'];
const TEXT_LENGTH_MAX = 4096;

/**
 * Compiles `text`; rejects with words when it is no expression. An evaluation that fails, or yields anything but true,
 * does not trip. The usual shape is read without loading CEL.
 */
export async function compileTripRule(text: string): Promise<TripRule> {
  const simple = SIMPLE.exec(text);
  if (simple) {
    const limit = Number(simple[2]) + (simple[1] === '>' ? 1 : 0);
    return (counts) => counts.consecutiveFailures >= limit;
  }
  if (text.length > TEXT_LENGTH_MAX) throw new Error(`the trip rule is longer than ${TEXT_LENGTH_MAX} characters`);
  const { Environment } = await import('@marcbachmann/cel-js');
  const environment = new Environment({ limits: { maxAstNodes: 1000, maxDepth: 50 } });
  for (const name of COUNTS) environment.registerVariable(name, 'int');
  let evaluate: (counts: Record<string, bigint>) => unknown;
  try {
    const parsed = environment.parse(text);
    const checked = parsed.check();
    if (checked.error) throw checked.error;
    if (checked.type !== 'bool') throw new Error(`it yields ${checked.type ?? 'nothing'}, not bool`);
    evaluate = parsed;
  } catch (error) {
    throw new Error(`the trip rule ${JSON.stringify(text)} is not usable: ${messageOf(error).split('\n')[0] ?? ''}`, { cause: error });
  }
  return (counts) => {
    try {
      return evaluate(Object.fromEntries(COUNTS.map((name) => [name, BigInt(counts[name])]))) === true;
    } catch {
      // The contract: a rule that cannot be evaluated (a division by zero requests, say) leaves the circuit closed.
      return false;
    }
  };
}
