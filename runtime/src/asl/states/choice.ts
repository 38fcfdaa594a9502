/** Choice: the first rule that matches, or Default. */
import type { Behaviour } from '../behaviour.ts';
import { ruleMatches } from '../choice-rule.ts';
import { isArray, isObject } from '../json.ts';
import { evaluateTyped } from '../scope.ts';
import { StateError, STATES } from '../state-error.ts';
import { effectiveInput, exitWithInput, isJsonata } from '../state-io.ts';

export const choice: Behaviour = {
  async start(turn, thread, state) {
    const scope = turn.scope(thread);
    const { Choices: rules, Default: other } = state.fields;
    const input = effectiveInput(scope, state);
    for (const [at, rule] of (isArray(rules) ? rules : []).entries()) {
      if (!isObject(rule)) continue;
      const { Condition: condition, Next: next } = rule;
      const matches = isJsonata(state) ? condition === true || (condition !== false && (await evaluateTyped(scope, condition ?? false, `Choices[${at}]/Condition`, 'boolean')) === true) : ruleMatches(scope, rule, input);
      if (matches) return { kind: 'exit', exit: await exitWithInput(scope, state, rule), next: String(next) };
    }
    if (typeof other !== 'string') throw new StateError(STATES.noChoiceMatched, 'Failed to transition out of the state. The state does not point to a next state.');
    return { kind: 'exit', exit: await exitWithInput(scope, state), next: other };
  },
};
