/** Pass, Succeed and Fail. */
import type { Behaviour } from '../behaviour.ts';
import type { State } from '../definition.ts';
import { evaluateTemplate, evaluateTemplateValue, evaluateTyped, type Scope } from '../scope.ts';
import { runtimeError, said } from '../state-error.ts';
import { effectiveInput, exitWithInput, exitWithResult, isJsonata, traced } from '../state-io.ts';

export const pass: Behaviour = {
  async start(turn, thread, state) {
    const scope = turn.scope(thread);
    if (isJsonata(state)) return { kind: 'exit', exit: await exitWithInput(scope, state) };
    const { Result: literal, Parameters: template } = state.fields;
    const input = effectiveInput(scope, state);
    const result = literal !== undefined ? literal : traced(scope, 'afterParameters', template === undefined ? input : evaluateTemplate(scope, template, input));
    return { kind: 'exit', exit: await exitWithResult(scope, state, result) };
  },
};

export const succeed: Behaviour = {
  async start(turn, thread, state) {
    return { kind: 'exit', exit: await exitWithInput(turn.scope(thread), state) };
  },
};

export const fail: Behaviour = {
  async start(turn, thread, state) {
    const scope = turn.scope(thread);
    const error = await failText(scope, state, 'Error');
    const cause = await failText(scope, state, 'Cause');
    return { kind: 'failed', failure: said({ error, cause }) };
  },
};

async function failText(scope: Scope, state: State, name: 'Error' | 'Cause'): Promise<string | undefined> {
  const { [name]: literal, [`${name}Path`]: path } = state.fields;
  if (literal !== undefined) return isJsonata(state) ? String(await evaluateTyped(scope, literal, name, 'string')) : String(literal);
  if (typeof path !== 'string') return undefined;
  const value = evaluateTemplateValue(scope, path, `${name}Path`, scope.input);
  if (typeof value !== 'string') throw runtimeError(`The ${name}Path parameter must reference a string: ${path} == ${JSON.stringify(value)}`);
  return value;
}
