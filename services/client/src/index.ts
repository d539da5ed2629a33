/** Everything of the package in one import. */
export * from './client.ts'
export * from './engine.ts'
export * from './refusal.ts'
export * from './shapes.ts'
export * from './stream.ts'
export type { components, operations, paths } from './generated/schema.ts'
