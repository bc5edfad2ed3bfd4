import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import type { ProblemDocument } from '../protocol/api/problem.ts'
import { CodedError, type ErrorCode, errorCodes } from '../protocol/errors.ts'

// Not imported: that would load what nobody here uses (ADR 0252).
const { STATUS_CODES } = process.getBuiltinModule('node:http')

export const problemType = 'application/problem+json'

/** The one place where an error becomes an answer: an RFC 9457 document with our code, and never a stack (law S4). */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler(sendProblem)
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error, request.id)
  // Whoever types a search gives up most of the requests for it: that is no fault.
  const isGivenUp = reply.raw.destroyed && error instanceof DOMException && error.name === 'AbortError'
  if (problem.status >= 500 && !isGivenUp) logFault(request.log, error, problem)
  if (error instanceof CodedError && 'retryAfterSeconds' in error) {
    reply.header('retry-after', String(error.retryAfterSeconds))
  }
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).type(problemType).send(JSON.stringify(problem))
}

/** How long a client may take to read why it was refused, in milliseconds. */
const lingerMs = 1_000

/** Answers what is not even HTTP, on the bare socket, and ends the connection. */
export function refuseConnection(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const problem = problemOf(unreadable(error.code), randomUUID())
  const body = JSON.stringify(problem)
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  // Its parser is gone, and so Node no longer counts it among its connections: one whose client never hangs up would
  // stay for ever, and keep the server from ending.
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

function unreadable(code: string | undefined): CodedError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new CodedError('TOO_LARGE', 'the address and its headers are too long')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new CodedError('TIMED_OUT', 'the request did not arrive in time')
  return new CodedError('BAD_REQUEST', 'that is not HTTP')
}

/** `instance` is the request's id: it leads from the answer to the log. */
function problemOf(error: unknown, instance: string): ProblemDocument {
  const { code, detail, fields } = knownCause(error)
  const { status, title, help } = errorCodes[code]
  return {
    type: `/docs/errors#${code}`,
    title,
    status,
    code,
    help,
    instance,
    ...(detail !== undefined && { detail }),
    ...(fields !== undefined && { fields }),
  }
}

interface Cause {
  readonly code: ErrorCode
  readonly detail?: string | undefined
  readonly fields?: ProblemDocument['fields']
}

function knownCause(error: unknown): Cause {
  if (error instanceof CodedError) return { code: error.code, detail: error.detail }
  if (hasZodFastifySchemaValidationErrors(error)) return invalidInput(error)
  if (error instanceof DOMException && error.name === 'TimeoutError') return { code: 'TIMED_OUT' }
  if (isFastifyError(error)) return refusedByFastify(error)
  return { code: 'INTERNAL' }
}

/** Where a field stands, as the OpenAPI document calls it. */
const places: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', headers: 'header' }

function invalidInput(error: {
  validation: { instancePath: string; message?: string }[]
  validationContext?: string | undefined
}): Cause {
  const place = places[error.validationContext ?? 'body'] ?? 'body'
  const fields = error.validation.map(({ instancePath, message }) => ({
    path: `${place}${instancePath === '/' ? '' : instancePath.replaceAll('/', '.')}`,
    message: message ?? 'is not valid',
  }))
  return { code: 'BAD_REQUEST', detail: fields.map((field) => field.path).join(', '), fields }
}

/** Fastify's own refusals (no valid JSON, too large, no parser for the type) are the client's fault; the rest is ours. */
function refusedByFastify(error: FastifyError): Cause {
  if (error.statusCode === 413) return { code: 'TOO_LARGE', detail: error.message }
  if (error.statusCode === 415) return { code: 'CONTENT_TYPE_UNKNOWN', detail: error.message }
  const status = error.statusCode ?? 500
  return status >= 400 && status < 500 ? { code: 'BAD_REQUEST', detail: error.message } : { code: 'INTERNAL' }
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('FST_')
}

function logFault(log: FastifyBaseLogger, error: unknown, problem: ProblemDocument): void {
  if (problem.code === 'INTERNAL') log.error({ err: error }, 'a request failed inside the server')
  else log.warn({ code: problem.code, detail: problem.detail }, 'a request could not be answered')
}
