import type { IndexStep } from '../../index/index.ts'
import type { LiveMessage } from '../../protocol/api/live.ts'
import type { Id } from '../../protocol/ids.ts'

export type What = Extract<LiveMessage, { type: 'changed' }>['what']

/** Who hears of a change: everyone, administrators, or one person. */
type Audience = 'everyone' | 'administrators' | { readonly user: Id }

interface Named {
  readonly what: What
  readonly audience: Audience
  readonly id?: Id | undefined
}

/** What changed for one listener since it was last told: by kind, the ids, or null where they are too many to name. */
export type Changes = Map<What, Set<Id> | null>

/** Most ids in a message; beyond, a page loads again what it shows. */
const mostIds = 200

export interface Listener {
  readonly user: Id
  readonly administrator: boolean
}

/** Adds to `changes` what a step of the index means for this listener. */
export function addStep(changes: Changes, step: Pick<IndexStep, 'keys' | 'more'>, listener: Listener): void {
  if (step.more) {
    for (const what of everything(listener)) changes.set(what, null)
    return
  }
  for (const key of step.keys) {
    const named = nameOf(key)
    if (named !== undefined && hears(listener, named.audience)) addNamed(changes, named)
  }
}

function addNamed(changes: Changes, { what, id }: Named): void {
  const known = changes.get(what)
  if (known === null) return
  const ids = known ?? new Set<Id>()
  if (id !== undefined) ids.add(id)
  changes.set(what, id === undefined || ids.size > mostIds ? null : ids)
}

function hears({ user, administrator }: Listener, audience: Audience): boolean {
  if (audience === 'everyone') return true
  return audience === 'administrators' ? administrator : audience.user === user
}

function everything({ administrator }: Listener): readonly What[] {
  const own = ['albums', 'libraries', 'playlists', 'marks', 'queue', 'podcasts', 'stations'] as const
  return administrator ? [...own, 'problems', 'accounts'] : own
}

/** Which things of the pages a fact is about, by its key (`src/protocol/facts`). */
function nameOf(key: string): Named | undefined {
  const [role, kind, first = '', , last] = key.split('/')
  switch (`${role}/${kind}`) {
    case 'catalog/albums':
      return { what: 'albums', audience: 'everyone', id: first }
    case 'catalog/libraries':
      return { what: 'libraries', audience: 'everyone' }
    case 'catalog/problems':
      return { what: 'problems', audience: 'administrators' }
    case 'listening/playlists':
      return { what: 'playlists', audience: 'everyone' }
    case 'listening/marks':
      return { what: 'marks', audience: { user: first }, id: last }
    case 'listening/queues':
      return { what: 'queue', audience: { user: first } }
    case 'podcasts/channels':
    case 'podcasts/episodes':
      return { what: 'podcasts', audience: 'everyone' }
    case 'listening/stations':
      return { what: 'stations', audience: 'everyone' }
    case 'accounts/users':
    case 'accounts/invitations':
      return { what: 'accounts', audience: 'administrators' }
    default:
      return undefined
  }
}
