import { writeFile } from 'node:fs/promises'
import { openTestGateway } from '../src/gateway/testing/gateway.ts'
import { version } from '../src/node/version.ts'
import { apiTypes } from '../web/build/api-types.ts'

/**
 * Writes `docs/openapi.json`, what a server of this version says of itself, and the web player's types of it. Tests
 * hold both current.
 */
await using edge = await openTestGateway({ version }, { setUp: false })
const { document } = edge.gateway
await writeFile(new URL('../docs/openapi.json', import.meta.url), `${JSON.stringify(document, null, 2)}\n`)
const types = apiTypes(JSON.parse(JSON.stringify(document)))
await writeFile(new URL('../web/api/schema.d.ts', import.meta.url), types)
