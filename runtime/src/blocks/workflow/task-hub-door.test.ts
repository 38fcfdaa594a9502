import { TaskHubSidecarService } from '@mecha/specs/gen/orchestrator_service.gen.ts';
import { expect, test } from 'vitest';
import { taskHubDoor } from './task-hub-door.grpc.ts';

test('the door names every method of the service, and no other', () => {
  const methods = taskHubDoor(async () => []);
  const shape = (path: string, streams: boolean) => `${path} ${streams ? 'stream' : 'unary'}`;
  expect(methods.map(({ path, kind }) => shape(path, kind === 'stream')).sort()).toEqual(Object.values(TaskHubSidecarService).map(({ path, responseStream }) => shape(path, responseStream)).sort());
});

test('what could not be opened is tried again', async () => {
  let tries = 0;
  const [hello] = taskHubDoor(async () => {
    if (++tries === 1) throw new Error('not yet');
    return [{ kind: 'unary', path: TaskHubSidecarService.Hello.path, answer: async () => Buffer.from('x') }];
  });
  if (hello?.kind !== 'unary') throw new Error('no Hello');
  await expect(hello.answer(Buffer.alloc(0), undefined as never)).rejects.toThrow('not yet');
  expect(await hello.answer(Buffer.alloc(0), undefined as never)).toEqual(Buffer.from('x'));
});
