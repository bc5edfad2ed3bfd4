import { writeFile } from 'node:fs/promises'
import { openTestGateway } from '../src/gateway/testing/gateway.ts'
import { version } from '../src/node/version.ts'

/** Writes `docs/openapi.json`: what a server of this version says of itself. A test holds it current. */
await using edge = await openTestGateway({ version }, { setUp: false })
const path = new URL('../docs/openapi.json', import.meta.url)
await writeFile(path, `${JSON.stringify(edge.gateway.document, null, 2)}\n`)
