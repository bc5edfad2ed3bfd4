import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Catalog } from '../../catalog/catalog.ts'
import { addLibrary, changeLibrary, removeLibrary } from '../../catalog/libraries.ts'
import type { ScanRequest } from '../../catalog/scan/scan.ts'
import type { Index } from '../../index/index.ts'
import {
  type LibrarySummary,
  libraryChange,
  libraryInput,
  librarySummary,
  page,
  problemSummary,
  scanStatus,
  serverFolder,
} from '../../protocol/api/catalog.ts'
import { scanInput } from '../../protocol/api/node.ts'
import { CodedError } from '../../protocol/errors.ts'
import type { Role } from '../../protocol/facts/cluster.ts'
import { type Id, id } from '../../protocol/ids.ts'
import type { Store } from '../../store/store.ts'
import type { Api } from '../api.ts'
import { isAdministrator } from '../authentication.ts'
import { written } from '../freshness.ts'
import type { Scanning } from '../gateway.ts'
import { statusFor } from '../live/hub.ts'
import { done, json, made, ok } from '../openapi/operation.ts'
import { signalOf } from '../signal.ts'
import { readerOf } from './catalog.ts'
import { readServerFolder } from './server-folder.ts'

interface Parts {
  readonly catalog: Pick<Catalog, 'libraries' | 'problems'>
  readonly scanner: Scanning
  readonly store: Store
  readonly index: Pick<Index, 'waitFor'>
  /** Whose folders are added: this node's. */
  readonly node: Id | null
  /** What this node does: it takes folders only with `catalog`. */
  readonly roles: readonly Role[]
  /** Folders that no library may touch. */
  readonly forbidden: readonly string[]
}

const tag = 'Libraries'
const byId = z.object({ id })
const config = { administrator: true }
/** A library of a million tracks takes minutes to forget, in milliseconds. */
const removalDeadline = 600_000

/** Music folders, their scans, and what is wrong in them. */
export function libraryRoutes(app: Api, parts: Parts): void {
  const { catalog, scanner, store, index, node, roles, forbidden } = parts
  app.get(
    '/api/libraries',
    {
      schema: {
        operationId: 'listLibraries',
        summary: 'The libraries that this account may see',
        description: 'Only administrators are told where they lie.',
        tag,
        response: ok(z.object({ items: z.array(librarySummary) }), 'The libraries'),
      },
    },
    async (request, reply) => ({ items: await catalog.libraries(readerOf(request), signalOf(reply)) }),
  )

  app.post(
    '/api/libraries',
    {
      config,
      schema: {
        operationId: 'createLibrary',
        summary: 'Add a music folder; the node begins to scan it',
        tag,
        body: libraryInput,
        response: made(librarySummary, 'The library'),
      },
    },
    async (request, reply) => {
      assertTakesFolders()
      const signal = signalOf(reply)
      const { library, revision } = await addLibrary(store, { ...request.body, node, forbidden }, signal)
      return summaryOf(request, reply.code(201), { id: library.id, revision }, signal)
    },
  )

  app.patch(
    '/api/libraries/:id',
    {
      config,
      schema: {
        operationId: 'changeLibrary',
        summary: 'Rename a library, or choose who sees it',
        tag,
        params: byId,
        body: libraryChange,
        response: ok(librarySummary, 'The library as it is now'),
      },
    },
    async (request, reply) => {
      const signal = signalOf(reply)
      const { id } = request.params
      const { revision } = await changeLibrary(store, id, request.body, signal)
      return summaryOf(request, reply, { id, revision }, signal)
    },
  )

  app.delete(
    '/api/libraries/:id',
    {
      config,
      schema: {
        operationId: 'deleteLibrary',
        summary: 'Forget a library; its files are left as they are',
        tag,
        params: byId,
        response: done('Forgotten'),
      },
    },
    async (request, reply) => {
      // It goes on when the administrator leaves: a library that is half removed helps nobody.
      const revision = await removeLibrary(store, request.params.id, AbortSignal.timeout(removalDeadline))
      await index.waitFor(revision, signalOf(reply))
      return written(reply.code(204), { value: undefined, revision })
    },
  )

  app.get(
    '/api/server-folders',
    {
      config,
      schema: {
        operationId: 'readServerFolder',
        summary: "Folders of the server's disks, to choose a music folder from",
        tag,
        querystring: z.object({ path: z.string().max(20_000).optional() }),
        response: ok(serverFolder, 'The folder'),
      },
    },
    (request) => {
      assertTakesFolders()
      return readServerFolder(request.query.path)
    },
  )

  app.get(
    '/api/scan',
    {
      schema: {
        operationId: 'readScan',
        summary: 'How far the scan has come',
        tag,
        response: ok(scanStatus, 'Its status'),
      },
    },
    async (request) => statusFor({ administrator: isAdministrator(request) }, scanner.status),
  )

  app.post(
    '/api/scan',
    {
      config,
      schema: {
        operationId: 'startScan',
        summary: 'Compare the music folders with the catalog',
        changesNothing: true,
        tag,
        body: scanInput,
        response: { 202: json(scanStatus, 'It has begun, or will when the present one ends') },
      },
    },
    async (request, reply) => {
      beginScan(request.body)
      return reply.code(202).send(scanner.status)
    },
  )

  app.get(
    '/api/problems',
    {
      config,
      schema: {
        operationId: 'listProblems',
        summary: 'What is wrong in the music folders',
        tag,
        querystring: z.object({
          library: id.optional(),
          cursor: z.string().max(2_000).optional(),
          limit: z.coerce.number().int().min(1).max(500).default(50),
        }),
        response: ok(page(problemSummary), 'A page of problems'),
      },
    },
    (request, reply) => catalog.problems(request.query, signalOf(reply)),
  )

  function assertTakesFolders(): void {
    if (!roles.includes('catalog')) throw new CodedError('ROLE_ELSEWHERE', 'catalog')
  }

  /** It goes on by itself; its status says how. */
  function beginScan(scan: ScanRequest): void {
    scanner.scan(scan).catch((error) => {
      const isEnding = error instanceof DOMException && error.name === 'AbortError'
      if (!isEnding) app.log.error({ err: error }, 'a scan failed')
    })
  }

  /** What has just been written, as the index says it. */
  async function summaryOf(
    request: FastifyRequest,
    reply: FastifyReply,
    change: { readonly id: Id; readonly revision: number },
    signal: AbortSignal,
  ): Promise<LibrarySummary> {
    await index.waitFor(change.revision, signal)
    const visible = await catalog.libraries(readerOf(request), signal)
    const found = visible.find((each) => each.id === change.id)
    if (found === undefined) throw new CodedError('NOT_FOUND', 'the library has just been removed')
    return written(reply, { value: found, revision: change.revision })
  }
}
