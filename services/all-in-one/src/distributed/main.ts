/**
 * `npm run start:distributed -- --trading-shards 2 --ledger-shards 2`: the platform as many processes on the RabbitMQ, MongoDB
 * and Redis that the environment names. Prints where everything is, then `ready in N ms`. A process that dies is started again.
 * SIGTERM and SIGINT stop all in order and exit 0.
 */
import { runProgram } from '@bourse/common/process/run.ts'
import { readArguments } from './arguments.ts'
import { launch } from './launch.ts'

const counts = readArguments(process.argv)
await runProgram({
  program: 'launcher',
  name: 'launcher',
  title: 'The platform',
  start: (context) => launch(context, counts),
})
