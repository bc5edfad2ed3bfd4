import { check, findRoot } from './steps.ts'

/** `npm run check`: format, lint with the import boundaries, types, unit tests; the first that fails ends it. */
process.exitCode = await check(findRoot())
