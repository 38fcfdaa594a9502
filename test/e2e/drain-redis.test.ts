import { serverAddress } from '../servers/servers.ts';
import { testDrain } from './drain.ts';

testDrain('pubsub.redis', () => ({ redisHost: serverAddress('redis') }));
