/** Undoes what a mode did. */
export type Heal = () => Promise<void>

/** One failure mode of `docs/failure-modes.md`, and how it is made real in a world of kind `World`. */
export interface Mode<World> {
  /** As `--only` takes it: `broker-gone`. */
  readonly name: string
  /** What fails, in words. */
  readonly title: string
  /** The door through which it is made. */
  readonly door: string
  /** Alerts that tell it: each must fire, and the first one must reach the person on call. */
  readonly tells: readonly [string, ...string[]]
  /** Pages that may come with it, since what they speak of is a consequence; any other page is a failure of the drill. */
  readonly alongside?: readonly string[]
  /** Why it can't be made here, or undefined when it can. */
  readonly missing?: (world: World) => string | undefined | Promise<string | undefined>
  /**
   * True seconds, beyond `for` and windows of its rules, that the failure takes to be seen (a timeout that has to pass);
   * not divided by the time scale.
   */
  readonly slowSeconds?: number
  inject(world: World): Promise<Heal>
}

/** A mode that is not drilled, with what shows it instead. */
export interface UndrilledMode {
  readonly name: string
  readonly reason: string
}

/** How a mode went. */
export interface ModeResult {
  readonly name: string
  readonly title: string
  readonly door: string
  readonly tells: readonly string[]
  /** Seconds from the injection until each of them fired; null: never. */
  readonly firedAfterSeconds: Readonly<Record<string, number | null>>
  /** Seconds from the injection until the person on call was told; null: never. */
  readonly toldAfterSeconds: number | null
  /** Seconds from the healing until none of them fired any more; null: not within the limit. */
  readonly clearedAfterSeconds: number | null
  /** Other alerts that began to fire meanwhile, with their severity. */
  readonly others: readonly string[]
  /** What is wrong. */
  readonly faults: readonly string[]
  /** Unrelated pages that were not judged, since the machine was overloaded. Without these and faults the drill is passed. */
  readonly excused: readonly string[]
}
