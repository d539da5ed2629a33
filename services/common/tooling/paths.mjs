/** Where things stand in the tree, for every tool. Runs on Node 20. */
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

/** The repository's root, absolute, without a trailing separator. */
export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[\\/]$/, '')

/** A path inside the repository. */
export const inRoot = (...parts) => join(root, ...parts)

/** The runtime every script runs on: the npm package `node`, whatever the machine has. */
export const nodePath = inRoot('node_modules/node/bin/node')
