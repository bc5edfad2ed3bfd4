import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ensurePrograms } from './programs.ts'
import { check, findRoot, inOrder, tests } from './steps.ts'

/** `npm test`: gets the programs that the tests need, then checks, and tests the behaviour of the whole program. */
const root = findRoot()
// Apache-licensed data that is no part of this repository: whoever works on the API puts it beside the checkout.
const description = join(root, '..', 'shared', 'opensubsonic', 'openapi.json')
const against = existsSync(description)
  ? [
      tests(
        "Subsonic answers against OpenSubsonic's description",
        ['src/gateway/subsonic/schema.check.ts'],
        1,
      ),
    ]
  : []
if (against.length === 0)
  console.log(`Not checked against OpenSubsonic's description: it is not at ${description}`)
await ensurePrograms()
const code = await check(root)
process.exitCode =
  code !== 0
    ? code
    : await inOrder(root, [
        ...against,
        // Clusters wait much, and a browser computes much: two files at a time keep two processors busy.
        tests('Tests of the whole behaviour', ['test/**/*.test.ts'], 2),
      ])
