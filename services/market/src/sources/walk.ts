import type { Units } from '@bourse/common/money/amount.ts'
import { divFloor, floorTo } from '@bourse/common/money/rounding.ts'
import type { WalkSource } from '@bourse/common/resources/price-source.ts'
import type { RunningSource, SourceDeps } from './source.ts'

/** Largest distance from the start price, units of 1e-8 bp: half of it. */
const REACH_BPS_MAX = 500_000_000_000n
const BPS_ONE = 1_000_000_000_000n
/** Most layers of movement; the slowest of twelve turns every 4^11 steps. */
const LAYERS_MAX = 12
const LATTICE_ONE = 0x8000_0000n

/** 32 well-mixed bits of a seed, a layer and a place on its lattice. */
const mix = (seed: number, layer: number, place: number): number => {
  let bits = (seed ^ Math.imul(layer + 1, 0x9e3779b1)) >>> 0
  for (const word of [place >>> 0, Math.floor(place / 0x1_0000_0000) >>> 0]) {
    bits = Math.imul(bits ^ word, 0x85ebca6b) >>> 0
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35) >>> 0
    bits = (bits ^ (bits >>> 16)) >>> 0
  }
  return bits
}

/** A value of −2^31 … 2^31 − 1 at each place of a layer's lattice. */
const latticeAt = (seed: number, layer: number, place: number): bigint => BigInt(mix(seed, layer, place)) - LATTICE_ONE

/** Largest swing of each layer, units of 1e-8 bp: doubling, as long as their sum stays within reach. */
const swingsOf = (stepBps: Units): bigint[] => {
  const swings: bigint[] = []
  let reach = 0n
  for (let swing = stepBps / 4n; swings.length < LAYERS_MAX && reach + swing <= REACH_BPS_MAX; swing *= 2n) {
    swings.push(swing)
    reach += swing
  }
  return swings
}

/**
 * The price of a walk at a step, units: a sum of layers, each twice as large and four times as slow as the one
 * before (as the distance of a random walk grows with the root of time), linear between the places of its
 * lattice. It depends on seed and step alone, so a restarted platform goes on where the walk is now; it moves
 * by at most stepBps of the start price per step and stays within half of it. Whole-number arithmetic
 * throughout, rounded down.
 */
export const walkPriceAt = (
  { startPrice, seed, stepBps }: Pick<WalkSource, 'startPrice' | 'seed' | 'stepBps'>,
  step: number,
): Units => {
  let offset = 0n
  swingsOf(stepBps).forEach((swing, layer) => {
    const period = 4 ** layer
    const place = Math.floor(step / period)
    const within = BigInt(step - place * period)
    const from = latticeAt(seed, layer, place)
    const to = latticeAt(seed, layer, place + 1)
    offset += divFloor(swing * (from * BigInt(period) + (to - from) * within), BigInt(period) * LATTICE_ONE)
  })
  return startPrice + divFloor(startPrice * offset, BPS_ONE)
}

/** Starts a walk: a quote at once and one per step, one tick wide; never below one tick. */
export const startWalk = (
  spec: WalkSource,
  tickSize: Units,
  { clock, logger, onTick, onFault }: SourceDeps,
): RunningSource => {
  let lastStep = -1
  const emit = (): void => {
    const step = Math.floor(clock.nowMs() / spec.stepMs)
    if (step === lastStep) return
    lastStep = step
    const price = floorTo(walkPriceAt(spec, step), tickSize)
    const feedBid = price < tickSize ? tickSize : price
    onTick({ feedBid, feedAsk: feedBid + tickSize, last: feedBid, exchangeTimeMs: null })
  }
  emit()
  const repeating = clock.every(spec.stepMs, emit, (error) => {
    onFault('failed')
    logger.error({ error }, 'walk step failed')
  })
  return { stop: () => repeating.stop() }
}
