/**
 * The Node test environment plus two things. A test file that leaves a socket, server, timer, watcher or child
 * process behind fails, with the kinds it left named; unreferenced handles do not keep a process alive and are not
 * counted. And each file has a folder for temporary files of its own, which goes with it: `tmpdir()` names it, also
 * in the processes that the tests start.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import jestEnvironmentNode from 'jest-environment-node'

const NodeEnvironment = jestEnvironmentNode.TestEnvironment ?? jestEnvironmentNode.default ?? jestEnvironmentNode

/** How long a file’s handles may take to close after its last test: closing a socket needs turns, more on a busy machine. */
const GRACE_MS = 60_000
const POLL_MS = 25

/** Kinds that come and go with the runner itself: terminals and its pipe to the parent. */
const IGNORED = new Set(['TTYWrap', 'MessagePort'])

const countByKind = () => {
  const counts = new Map()
  for (const kind of process.getActiveResourcesInfo()) {
    if (!IGNORED.has(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

const surplus = (before, now) =>
  [...now].flatMap(([kind, count]) => {
    const extra = count - (before.get(kind) ?? 0)
    return extra > 0 ? [`${kind} x${extra}`] : []
  })

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export default class LeakCheckingEnvironment extends NodeEnvironment {
  #before = new Map()
  #folder = ''
  #outerFolder = process.env.TMPDIR

  async setup() {
    await super.setup()
    this.#folder = mkdtempSync(join(tmpdir(), 'bourse-test-'))
    this.#setFolder(this.#folder)
  }

  async teardown() {
    this.#setFolder(this.#outerFolder)
    // A process that a test has just killed may still be ending.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    await super.teardown()
  }

  /** Node asks its own environment, children get the tests' copy of it. */
  #setFolder(folder) {
    for (const { env } of [process, this.global.process]) {
      if (folder === undefined) delete env.TMPDIR
      else env.TMPDIR = folder
    }
  }

  async handleTestEvent(event, state) {
    if (event.name === 'run_start') this.#before = countByKind()
    if (event.name === 'run_finish') await this.#reportLeaks(state)
  }

  async #reportLeaks(state) {
    const deadline = performance.now() + GRACE_MS
    let left = surplus(this.#before, countByKind())
    while (left.length > 0 && performance.now() < deadline) {
      await sleep(POLL_MS)
      left = surplus(this.#before, countByKind())
    }
    if (left.length === 0) return
    const error = new Error(`this file left handles open after its last test: ${left.join(', ')}`)
    error.stack = error.message
    state.unhandledErrors.push(error)
  }
}
