/**
 * The trading machine's binary border in one import: numbers and limits, commands, outcomes and events,
 * queries. The layouts are data (`struct.ts`), so offsets are read, never repeated.
 */
export * from './numbers.ts'
export * from './commands.ts'
export * from './outcomes.ts'
export * from './queries.ts'
