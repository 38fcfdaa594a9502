import { testDrain } from './drain.ts';

testDrain('pubsub.sqlite', () => ({}));
