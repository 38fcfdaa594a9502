import { describe, expect, test } from 'vitest';
import { MetricsRegistry, Timings } from './metrics.ts';

const line = (text: string, start: string): string | undefined => text.split('\n').find((one) => one.startsWith(start));

describe('metrics', () => {
  test('counters, histograms and gauges are rendered with the app id and their labels', async () => {
    const registry = new MetricsRegistry({ processMetrics: false });
    const metrics = registry.forApp('order');
    metrics.count('calls_total', { component: 'a "b"' });
    metrics.count('calls_total', { component: 'a "b"' }, 2);
    metrics.gauge('pending', { component: 'a' }, 7);
    const text = await registry.render();
    expect(line(text, '# TYPE dapr_calls_total')).toBe('# TYPE dapr_calls_total counter');
    expect(line(text, 'dapr_calls_total')).toBe('dapr_calls_total{app_id="order",component="a \\"b\\""} 3');
    expect(line(text, 'dapr_pending')).toBe('dapr_pending{app_id="order",component="a"} 7');
  });

  test('a histogram has buckets that add up, its sum and its count; a bound belongs to its bucket', async () => {
    const registry = new MetricsRegistry({ processMetrics: false });
    const timing = registry.forApp('order').timing('calls_total', 'latency', { operation: 'get' });
    for (const ms of [0.2, 1, 1.5, 250, 1e9]) timing.record(ms);
    const text = await registry.render();
    const bucket = (bound: string): string | undefined => line(text, `dapr_latency_bucket{app_id="order",operation="get",le="${bound}"}`)?.split(' ').at(-1);
    expect([bucket('1'), bucket('2'), bucket('200'), bucket('250'), bucket('100000'), bucket('+Inf')]).toEqual(['2', '3', '3', '4', '4', '5']);
    expect(line(text, 'dapr_latency_sum')).toBe('dapr_latency_sum{app_id="order",operation="get"} 1000000252.7');
    expect(line(text, 'dapr_latency_count')).toBe('dapr_latency_count{app_id="order",operation="get"} 5');
    expect(line(text, 'dapr_calls_total{')).toBe('dapr_calls_total{app_id="order",operation="get"} 5');
  });

  test('apps of one process have series of their own in one metric', async () => {
    const registry = new MetricsRegistry({ processMetrics: false });
    registry.forApp('one').count('calls_total');
    registry.forApp('two').count('calls_total', {}, 4);
    const text = await registry.render();
    expect([line(text, 'dapr_calls_total{app_id="one"}'), line(text, 'dapr_calls_total{app_id="two"}')]).toEqual(['dapr_calls_total{app_id="one"} 1', 'dapr_calls_total{app_id="two"} 4']);
  });

  test('a caller who invents label values fills no memory: from 2,000 series on they are counted under overflow', async () => {
    const registry = new MetricsRegistry({ processMetrics: false });
    const metrics = registry.forApp('order');
    for (let index = 0; index < 2100; index++) {
      metrics.count('calls_total', { path: `/${index}` });
      metrics.gauge('pending', { path: `/${index}` }, index);
    }
    const text = await registry.render();
    expect(text.match(/^dapr_calls_total\{/gm)).toHaveLength(2001);
    expect(line(text, 'dapr_calls_total{app_id="order",path="overflow"}')).toBe('dapr_calls_total{app_id="order",path="overflow"} 100');
    expect(text.match(/^dapr_pending\{/gm)).toHaveLength(2001);
  });

  test('a metric of after the first scrape is in the next one, and the process has its own metrics if it is asked for them', async () => {
    const registry = new MetricsRegistry({ processMetrics: true });
    const metrics = registry.forApp('order');
    metrics.count('calls_total');
    const first = await registry.render();
    metrics.gauge('pending', {}, 7);
    metrics.count('calls_total');
    const second = await registry.render();
    expect([line(first, 'dapr_calls_total{'), line(first, 'dapr_pending{')]).toEqual(['dapr_calls_total{app_id="order"} 1', undefined]);
    expect([line(second, 'dapr_calls_total{'), line(second, 'dapr_pending{')]).toEqual(['dapr_calls_total{app_id="order"} 2', 'dapr_pending{app_id="order"} 7']);
    expect(second).toMatch(/^process_resident_memory_bytes \d+$/m);
  });

  test('a table of timings looks each word up once', () => {
    const asked: string[] = [];
    const timings = new Timings((word) => {
      asked.push(word);
      return { record: () => {} };
    });
    for (const word of ['GET 200', 'GET 404', 'GET 200']) timings.record(word, 1);
    expect(asked).toEqual(['GET 200', 'GET 404']);
  });
});
