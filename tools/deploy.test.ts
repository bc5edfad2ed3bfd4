import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { health } from '../src/gateway/people.ts'
import { readConfig } from '../src/node/config.ts'
import { allRoles } from '../src/protocol/facts/cluster.ts'

/** The files for Kubernetes agree with the program, with one another, and with what a guarded namespace demands. */

const folder = join(import.meta.dirname, '..', 'deploy')
const read = (path: string) => readFileSync(join(folder, path), 'utf8')

const named = z.object({ name: z.string() })
const labels = z.record(z.string(), z.string())
const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.union([z.string(), z.number()]) }) })
const variable = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .object({
      fieldRef: z.object({ fieldPath: z.string() }),
      secretKeyRef: z.object({ name: z.string(), key: z.string() }),
    })
    .partial()
    .optional(),
})
const container = z.object({
  image: z.string(),
  command: z.array(z.string()).default([]),
  env: z.array(variable),
  envFrom: z.array(z.object({ configMapRef: named })).default([]),
  ports: z.array(named.extend({ containerPort: z.number() })),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe,
  securityContext: z.unknown(),
  volumeMounts: z.array(named.extend({ mountPath: z.string() })),
})
const statefulSet = z.object({
  kind: z.literal('StatefulSet'),
  metadata: named,
  spec: z.object({
    serviceName: z.string(),
    replicas: z.int(),
    selector: z.object({ matchLabels: labels }),
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        automountServiceAccountToken: z.boolean(),
        securityContext: z.record(z.string(), z.unknown()),
        containers: z.array(container).length(1),
        volumes: z.array(named).default([]),
      }),
    }),
    volumeClaimTemplates: z.array(z.object({ metadata: named })),
  }),
})
const service = z.object({
  kind: z.literal('Service'),
  metadata: named,
  spec: z.object({
    clusterIP: z.string().optional(),
    selector: labels,
    ports: z.array(z.object({ port: z.number(), targetPort: z.number().optional() })),
  }),
})
const configMap = z.object({ kind: z.literal('ConfigMap'), metadata: named, data: labels })
const other = z.object({ kind: z.enum(['NetworkPolicy', 'PodDisruptionBudget']), metadata: named })
const manifest = z.discriminatedUnion('kind', [statefulSet, service, configMap, other])

const manifests = ['kubernetes/etcd.yaml', 'kubernetes/hocket.yaml'].flatMap((path) =>
  parseAllDocuments(read(path)).map((document) => {
    assert.deepEqual(document.errors, [], path)
    return manifest.parse(document.toJS())
  }),
)
const sets = manifests.filter((each) => each.kind === 'StatefulSet')
const services = manifests.filter((each) => each.kind === 'Service')
const maps = manifests.filter((each) => each.kind === 'ConfigMap')
const ours = sets.filter(({ metadata }) => metadata.name.startsWith('hocket'))

const onlyContainer = (set: (typeof sets)[number]) => {
  const [found] = set.spec.template.spec.containers
  assert.ok(found)
  return found
}

/** What the first pod of a set has in its environment. */
function environmentOf(set: (typeof sets)[number]): Record<string, string> {
  const { env, envFrom } = onlyContainer(set)
  const values: Record<string, string> = {}
  for (const { configMapRef } of envFrom)
    Object.assign(values, maps.find(({ metadata }) => metadata.name === configMapRef.name)?.data)
  const fields = new Map([
    ['metadata.name', `${set.metadata.name}-0`],
    ['spec.nodeName', 'machine-1'],
  ])
  for (const { name, value, valueFrom } of env) {
    const field = fields.get(valueFrom?.fieldRef?.fieldPath ?? '')
    const secret = valueFrom?.secretKeyRef === undefined ? undefined : 'a password of some length'
    const given = value?.replaceAll(/\$\((\w+)\)/g, (_, other: string) => values[other] ?? assert.fail(other))
    values[name] = given ?? field ?? secret ?? assert.fail(`${name} has no value`)
  }
  return values
}

test('pods fulfil the “restricted” standard of Kubernetes, and write to their volumes alone', () => {
  assert.deepEqual(sets.map(({ metadata }) => metadata.name).toSorted(), [
    'etcd',
    'hocket-disk',
    'hocket-gateway',
  ])
  for (const set of sets) {
    const { name } = set.metadata
    const { securityContext, automountServiceAccountToken } = set.spec.template.spec
    assert.equal(automountServiceAccountToken, false, name)
    const { runAsUser, runAsGroup, fsGroup, ...pod } = securityContext
    assert.deepEqual(pod, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }, name)
    assert.ok(Number(runAsUser) > 0 && runAsGroup === runAsUser && fsGroup === runAsUser, name)
    assert.deepEqual(
      onlyContainer(set).securityContext,
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      name,
    )
  }
})

test('a pod of ours has the user, the data folder, the ports and the health of the image and the program', () => {
  const image = read('Dockerfile')
  const { port, peerPort } = readConfig({}, {})
  for (const set of ours) {
    const { env, ports, volumeMounts, startupProbe, livenessProbe, readinessProbe, command } =
      onlyContainer(set)
    const { securityContext, volumes } = set.spec.template.spec
    assert.match(
      image,
      new RegExp(`useradd --uid ${securityContext.runAsUser} --gid ${securityContext.fsGroup} `),
    )
    assert.deepEqual(
      ports.map(({ containerPort }) => containerPort),
      [port, peerPort],
    )
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe].flatMap((each) => each ?? [])) {
      assert.ok(health.has(httpGet.path), httpGet.path)
      assert.equal(ports.find(({ name }) => name === httpGet.port)?.containerPort, port)
    }
    const mounted = new Map(volumeMounts.map(({ name, mountPath }) => [mountPath, name]))
    const claimed = set.spec.volumeClaimTemplates.map(({ metadata }) => metadata.name)
    assert.ok(claimed.includes(mounted.get('/data') ?? ''), 'what is kept lies on a claim')
    assert.match(image, /ENV HOCKET_DATA=\/data /)
    assert.ok(
      volumes.some(({ name }) => name === mounted.get('/tmp')),
      'the rest of the disk is read-only',
    )
    for (const { name } of env) assert.match(name, /^HOCKET_/)
    if (command.length > 0) assert.match(command.join(' '), /exec node tools\/container\.ts$/)
  }
  const startedByImage = /^CMD \["node", "(.*)"\]$/m.exec(image)?.[1]
  assert.equal(startedByImage, 'tools/container.ts')
})

test('what the pods are told is valid, and together they do everything', () => {
  const given = new Set<string>()
  for (const set of ours) {
    const environment = environmentOf(set)
    const config = readConfig({}, environment)
    for (const role of config.roles) given.add(role)
    assert.equal(config.address, `${set.metadata.name}-0.${set.spec.serviceName}`)
    const secret = onlyContainer(set).env.find(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined)
    const { name, key } = secret?.valueFrom?.secretKeyRef ?? assert.fail('no secret')
    assert.ok(read('README.md').includes(`kubectl create secret generic ${name} --from-literal=${key}=…`))
    for (const url of (environment.HOCKET_OTHERS ?? '').split(',')) {
      const host = new URL(url).hostname
      assert.ok(podsOf(ours).has(host), `${host} is the name of a pod`)
      assert.equal(new URL(url).port, String(readConfig({}, {}).port))
    }
    const endpoints = (environment.HOCKET_STORE ?? '').replace('etcd://', '').split(',')
    const etcd = sets.filter(({ metadata }) => metadata.name === 'etcd')
    assert.deepEqual(
      endpoints,
      [...podsOf(etcd)].map((host) => `${host}:2379`),
    )
  }
  assert.deepEqual([...given].toSorted(), allRoles.toSorted())
})

test('every set has a service that names its pods, and every service leads to ports that are there', () => {
  for (const { metadata, spec } of sets) {
    const naming = services.find((each) => each.metadata.name === spec.serviceName)
    assert.equal(naming?.spec.clusterIP, 'None', metadata.name)
    assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels)
  }
  for (const { metadata, spec } of services) {
    const behind = sets.filter((set) =>
      Object.entries(spec.selector).every(([key, value]) => set.spec.template.metadata.labels[key] === value),
    )
    assert.ok(behind.length > 0, metadata.name)
    for (const { port, targetPort = port } of spec.ports)
      for (const set of behind)
        assert.ok(
          onlyContainer(set).ports.some(({ containerPort }) => containerPort === targetPort),
          `${metadata.name}: ${targetPort}`,
        )
  }
})

/** The names by which pods reach one another. */
function podsOf(those: typeof sets): ReadonlySet<string> {
  return new Set(
    those.flatMap(({ metadata, spec }) =>
      Array.from({ length: spec.replicas }, (_, number) => `${metadata.name}-${number}.${spec.serviceName}`),
    ),
  )
}
