// @ts-check
import { join } from 'node:path'
import { ensureServer } from './launch/server.mjs'

/** Fills the compile cache of the unit tests, whose processes have no flags, unless it was filled with the same modules. */
const root = join(import.meta.dirname, '..')
const cache = process.env.NODE_COMPILE_CACHE
if (cache === undefined) throw new Error('NODE_COMPILE_CACHE says which cache to fill')
await ensureServer(root, process.execPath, cache, process.env, [])
