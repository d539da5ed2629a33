import { cpus, release, totalmem, type } from 'node:os'

/** The machine the figures come from: CPU model, cores, memory, kernel, Node. */
export const machineName = (): string => {
  const cores = cpus()
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0)
  const model = cores[0]?.model.trim() ?? 'unknown CPU'
  return `${model}, ${cores.length} cores, ${gigabytes} GiB memory, ${type()} ${release()}, Node ${process.version}`
}
