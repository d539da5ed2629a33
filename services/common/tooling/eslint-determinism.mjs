/** Where the clock, chance, timers and the outside world may be used; each message names the replacement. */

const CLOCK = 'take the time from the Clock port (services/common/src/ports/clock.ts)'
const RANDOM = 'take chance from the Random or Ids port (services/common/src/ports)'
const TIMERS = 'wait and repeat through the Clock port: sleep, every'
const COMMAND_TIME = 'a machine is a function of its commands: time comes as `now` with the batch'
const COMMAND_RANDOM = 'a machine is a function of its commands: ids and chance come as fields of the command'
const NO_WAITING = 'a machine does not wait: what happens later is a command or a deadline of its own'
const NO_OUTSIDE = 'a machine does not see the outside world: emit an effect, let the kernel or the runner act'

const TIMER_NAMES = ['setTimeout', 'setInterval']
const RANDOM_NAMES = ['randomBytes', 'randomUUID', 'randomInt', 'randomFill', 'randomFillSync', 'getRandomValues']
const CLOCK_READS = ['now', 'timeOrigin']

/** `new Date()` and `Date()` read the clock; `new Date(ms)` only converts. */
const DATE_WITHOUT_ARGUMENT = ':matches(NewExpression, CallExpression)[callee.name="Date"][arguments.length=0]'

const properties = (object, names, message) => names.map((property) => ({ object, property, message }))
const globalsNamed = (names, message) => names.map((name) => ({ name, message }))
const globalProperties = (names, message) => properties('globalThis', names, message)

/** For everything but adapters, mains, commands and test support. */
export const PORT_RULES = {
  'no-restricted-properties': [
    'error',
    ...properties('Date', ['now'], CLOCK),
    ...properties('performance', CLOCK_READS, CLOCK),
    ...properties('process', ['hrtime', 'uptime'], CLOCK),
    ...properties('Math', ['random'], RANDOM),
    ...properties('crypto', ['randomUUID', 'getRandomValues'], RANDOM),
    ...globalProperties(TIMER_NAMES, TIMERS),
  ],
  'no-restricted-globals': ['error', ...globalsNamed(TIMER_NAMES, TIMERS)],
  'no-restricted-syntax': ['error', { selector: DATE_WITHOUT_ARGUMENT, message: CLOCK }],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        ...['node:timers', 'node:timers/promises', 'timers', 'timers/promises'].map((name) => ({
          name,
          message: TIMERS,
        })),
        { name: 'node:perf_hooks', importNames: ['performance'], message: CLOCK },
        {
          name: 'node:crypto',
          importNames: RANDOM_NAMES,
          message: RANDOM,
        },
      ],
    },
  ],
}

/** Node's modules a machine may use: they only compute. */
const PURE_MODULES = ['assert', 'buffer', 'util']
const PURE_CRYPTO = ['createHash', 'hash', 'timingSafeEqual']

/** For state machines, their bigint references and the binary headers. */
export const DETERMINISM_RULES = {
  'no-restricted-properties': [
    'error',
    ...properties('Math', ['random'], COMMAND_RANDOM),
    ...globalProperties(['Date', 'performance'], COMMAND_TIME),
    ...globalProperties(['crypto'], COMMAND_RANDOM),
    ...globalProperties([...TIMER_NAMES, 'setImmediate', 'queueMicrotask', 'Promise'], NO_WAITING),
    ...globalProperties(['process', 'fetch'], NO_OUTSIDE),
  ],
  'no-restricted-globals': [
    'error',
    ...globalsNamed(['Date', 'performance'], COMMAND_TIME),
    ...globalsNamed(['crypto'], COMMAND_RANDOM),
    ...globalsNamed([...TIMER_NAMES, 'setImmediate', 'queueMicrotask', 'Promise'], NO_WAITING),
    ...globalsNamed(['process', 'fetch', 'WebSocket'], NO_OUTSIDE),
  ],
  'no-restricted-syntax': [
    'error',
    { selector: ':function[async=true]', message: NO_WAITING },
    { selector: 'AwaitExpression', message: NO_WAITING },
    { selector: 'ForOfStatement[await=true]', message: NO_WAITING },
    { selector: 'ImportExpression', message: NO_OUTSIDE },
    { selector: 'TSTypeReference[typeName.name="Promise"]', message: NO_WAITING },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: [{ name: 'node:crypto', allowImportNames: PURE_CRYPTO, message: COMMAND_RANDOM }],
      patterns: [
        { regex: `^node:(?!(crypto|${PURE_MODULES.join('|')})$)`, message: NO_OUTSIDE },
        {
          regex:
            '^(assert|buffer|child_process|crypto|dgram|dns|fs|http|https|net|os|process|timers|tls|worker_threads)(/|$)',
          message:
            'write node: before it; a machine may use node:crypto (createHash), node:buffer, node:util and node:assert',
        },
      ],
    },
  ],
}
