import { serverAddress } from '../servers/servers.ts';
import { testDrain } from './drain.ts';

testDrain('pubsub.kafka', () => ({ brokers: serverAddress('kafka'), authType: 'none', initialOffset: 'oldest' }));
