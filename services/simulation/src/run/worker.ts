/** A thread that runs seeds, one after the other; the bugs to plant are planted before the product is loaded. */
import { parentPort, workerData } from 'node:worker_threads'
import { plant } from '../mutants/plant.ts'
import type { WorkerData, WorkerReply, WorkerRequest } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('this file is a worker; run commands/simulate.ts')
const { mutants } = workerData as WorkerData
plant(mutants)
const { runSeed } = await import('./run-seed.ts')

const reply = (message: WorkerReply): void => port.postMessage(message)

const serve = async ({ number, options, verbose }: WorkerRequest): Promise<void> => {
  try {
    const onLine = verbose ? (line: string) => reply({ number, kind: 'line', line }) : undefined
    reply({ number, kind: 'report', report: await runSeed(options, onLine) })
  } catch (error) {
    reply({ number, kind: 'broken', message: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
}

port.on('message', (request: WorkerRequest) => void serve(request))
