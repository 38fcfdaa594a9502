/** What `mecha workflow` does with state machines, over the API that their tools speak. */
import type { CommandContext } from './command.ts';
import type { SidecarClient } from './sidecar-client.ts';

const STATES_PATH = '/v1.0-mecha/states';
/** What machines may be called; any other name is none. */
const MACHINE_NAME = /^[\w-]{1,80}$/;

const arns = () => import('../workflow-asl/arns.ts');
const ask = (sidecar: SidecarClient, operation: string, fields: object): Promise<Response> =>
  sidecar.request('POST', STATES_PATH, { body: JSON.stringify(fields), headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AWSStepFunctions.${operation}` } });

/** Starts an execution, and gives the exit code; undefined: there is no machine of this name. */
export async function startMachine(name: string, { instanceId, input }: { readonly instanceId: string | undefined; readonly input: string | undefined }, sidecar: SidecarClient, context: CommandContext): Promise<number | undefined> {
  if (!MACHINE_NAME.test(name)) return undefined;
  const { machineArn, parseArn } = await arns();
  const stateMachineArn = machineArn(name);
  const found = await ask(sidecar, 'DescribeStateMachine', { stateMachineArn });
  await found.arrayBuffer();
  if (!found.ok) return undefined;
  return tell(await ask(sidecar, 'StartExecution', { stateMachineArn, ...(instanceId === undefined ? {} : { name: instanceId }), ...(input === undefined ? {} : { input }) }), ({ executionArn }) => parseArn(executionArn ?? '')?.tail ?? '', context);
}

export const isExecution = (instanceId: string): boolean => /^execution:[^:]+:[^:]+$/.test(instanceId);

export async function redrive(instanceId: string, sidecar: SidecarClient, context: CommandContext): Promise<number> {
  const { arnOf } = await arns();
  return tell(await ask(sidecar, 'RedriveExecution', { executionArn: arnOf(instanceId) }), () => instanceId, context);
}

async function tell(answer: Response, words: (fields: Readonly<Record<string, string>>) => string, context: CommandContext): Promise<number> {
  const text = await answer.text();
  if (answer.ok) {
    context.out(`${words(JSON.parse(text) as Record<string, string>)}\n`);
    return 0;
  }
  const { __type: name = '', message = text } = JSON.parse(text) as { __type?: string; message?: string };
  context.err(`${answer.status} ${name}: ${message}\n`);
  return 1;
}
