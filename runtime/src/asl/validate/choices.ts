/** Rules of a Choice. */
import { CHOICE_OPERATORS, type OperandKind } from '../choice-rule.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { expressionIn } from '../jsonata-query.ts';
import { suggestion, type Context, type Inspected } from './context.ts';
import { checkList, checkObject, checkPath, checkQueries, checkText, checkTimestamp } from './values.ts';
import { checkAssign } from './variables.ts';

const COMBINATORS = ['And', 'Or', 'Not'];
/** Fields of a top-level rule besides the test itself. */
const OUTER = ['Next', 'Assign', 'Output', 'Comment'];
const DEPTH_MAX = 50;

export function checkChoices(context: Context, state: Inspected): void {
  const location = `${state.path}/Choices`;
  const { Choices: rules } = state.fields;
  if (rules === undefined) return context.diagnostics.error(state.path, "The field 'Choices' is required but was missing");
  for (const [at, rule] of checkList(context, rules, location).entries()) {
    const here = `${location}/${at}`;
    if (!checkObject(context, rule, here)) continue;
    const { Next: next, Assign: assign, Output: output } = rule;
    if (next === undefined) context.diagnostics.error(here, "The field 'Next' is required but was missing");
    else checkText(context, next, `${here}/Next`);
    if (assign !== undefined) checkAssign(context, assign, `${here}/Assign`, state.language, {});
    if (output !== undefined) {
      if (state.language === 'JSONata') checkQueries(context, output, `${here}/Output`);
      else context.diagnostics.error(`${here}/Output`, "The field 'Output' can not be used in a JSONPath state");
    }
    if (state.language === 'JSONata') checkCondition(context, rule, here);
    else checkTest(context, without(rule, OUTER), here, 0);
  }
}

const without = (rule: JsonObject, names: readonly string[]): JsonObject => Object.fromEntries(Object.entries(rule).filter(([name]) => !names.includes(name)));

function checkCondition(context: Context, rule: JsonObject, here: string): void {
  const { Condition: condition } = rule;
  if (condition === undefined) context.diagnostics.error(here, "The field 'Condition' is required but was missing", 'a JSONata rule has a Condition instead of Variable and operators');
  else if (typeof condition === 'string' && expressionIn(condition) !== undefined) checkQueries(context, condition, `${here}/Condition`);
  else if (typeof condition !== 'boolean') context.diagnostics.error(`${here}/Condition`, 'Value must be true, false or an expression');
  for (const name of Object.keys(rule)) {
    if (name !== 'Condition' && !OUTER.includes(name)) context.diagnostics.error(`${here}/${name}`, `The field '${name}' can not be used in a rule of a JSONata state`, "JSONata rules say it with 'Condition'");
  }
}

function checkTest(context: Context, rule: JsonObject, here: string, depth: number): void {
  if (depth > DEPTH_MAX) return context.diagnostics.error(here, `Rules are nested deeper than ${DEPTH_MAX} levels`);
  const names = Object.keys(rule).filter((name) => name !== 'Comment');
  const combinator = names.find((name) => COMBINATORS.includes(name));
  if (combinator !== undefined) {
    if (names.length > 1) context.diagnostics.error(here, `'${combinator}' can not stand beside ${names.filter((name) => name !== combinator).map((name) => `'${name}'`).join(', ')}`);
    const inner = rule[combinator] ?? null;
    const location = `${here}/${combinator}`;
    if (combinator === 'Not') checkInner(context, inner, location, depth);
    else for (const [at, item] of checkList(context, inner, location).entries()) checkInner(context, item, `${location}/${at}`, depth);
    return;
  }
  const operators = names.filter((name) => CHOICE_OPERATORS.has(name));
  for (const name of names) {
    if (name === 'Variable' || CHOICE_OPERATORS.has(name)) continue;
    const hint = name === 'Condition' ? "set 'QueryLanguage' to 'JSONata'" : suggestion(context, name, [...CHOICE_OPERATORS.keys(), 'Variable', ...COMBINATORS]);
    context.diagnostics.error(`${here}/${name}`, `The field '${name}' is not a field of a rule`, hint);
  }
  if (operators.length !== 1) context.diagnostics.error(here, `A rule has exactly one comparison, but there are ${operators.length}`);
  if (rule['Variable'] === undefined) context.diagnostics.error(here, "The field 'Variable' is required but was missing");
  else checkPath(context, rule['Variable'], `${here}/Variable`);
  for (const name of operators) checkOperand(context, rule[name] ?? null, `${here}/${name}`, CHOICE_OPERATORS.get(name) ?? 'string');
}

function checkInner(context: Context, rule: Json, here: string, depth: number): void {
  if (!isObject(rule)) return context.diagnostics.error(here, 'Value must be an object');
  for (const name of ['Next', 'Assign', 'Output']) if (Object.hasOwn(rule, name)) context.diagnostics.error(`${here}/${name}`, `The field '${name}' can only stand in the outermost rule`);
  checkTest(context, without(rule, OUTER), here, depth + 1);
}

function checkOperand(context: Context, value: Json, location: string, kind: OperandKind): void {
  if (kind === 'path') checkPath(context, value, location);
  else if (kind === 'timestamp') checkTimestamp(context, value, location, 'JSONPath');
  else if (typeof value !== kind) context.diagnostics.error(location, `Value must be a ${kind}`);
}
