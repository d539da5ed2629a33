import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** Seconds at which latency histograms have their bounds: from an in-memory read to the 15 s wait of a bank trade. */
export const LATENCY_BUCKETS_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30,
] as const

/** One registry of a process. Every name begins with `bourse_`; label values come from bounded sets. */
export interface Metrics {
  counter<Label extends string>(name: string, help: string, labels: readonly Label[]): Counter<Label>
  gauge<Label extends string>(name: string, help: string, labels: readonly Label[]): Gauge<Label>
  /** A gauge without labels that is read when the series are, and costs nothing between. */
  sampled(name: string, help: string, read: () => number): void
  histogram<Label extends string>(name: string, help: string, labels: readonly Label[]): Histogram<Label>
  /** Everything in the text format of Prometheus. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>
}

/** A registry with the process's own metrics (memory, event loop, garbage collection) already in it. */
export const createMetrics = (): Metrics => {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    counter: (name, help, labels) => new Counter({ name, help, labelNames: [...labels], registers }),
    gauge: (name, help, labels) => new Gauge({ name, help, labelNames: [...labels], registers }),
    sampled: (name, help, read) =>
      void new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      }),
    histogram: (name, help, labels) =>
      new Histogram({
        name,
        help,
        labelNames: [...labels],
        buckets: [...LATENCY_BUCKETS_SECONDS],
        registers,
      }),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}
