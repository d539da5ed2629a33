import { Command, InvalidArgumentError } from 'commander'

/** How many processes there are to be of each kind. */
export interface LaunchArguments {
  readonly tradingShards: number
  readonly ledgerShards: number
  readonly bridgeShards: number
  readonly gateways: number
}

/** Processes of one kind at most: one machine runs them all. */
export const PROCESSES_MAX = 64

const count = (text: string): number => {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > PROCESSES_MAX)
    throw new InvalidArgumentError(`It is a whole number from 1 to ${PROCESSES_MAX}.`)
  return value
}

/** Reads `--trading-shards 2` and its kin; a mistake ends the process with a message. */
export const readArguments = (argv: readonly string[]): LaunchArguments =>
  new Command('start:distributed')
    .description('starts the platform as many processes, on the RabbitMQ, MongoDB and Redis that the environment names')
    .option('--trading-shards <count>', 'trading processes', count, 1)
    .option('--ledger-shards <count>', 'ledger processes', count, 1)
    .option('--bridge-shards <count>', 'bridge processes', count, 1)
    .option('--gateways <count>', 'gateway processes, on BOURSE_PORT and the ports after it', count, 1)
    .parse(argv)
    .opts<LaunchArguments>()
