import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { PodcastSummary } from '../../../src/protocol/api/podcasts.ts'
import { useAccount } from '../../app/account.ts'
import { podcastQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button } from '../../components/controls.tsx'
import { Confirm } from '../../components/dialog.tsx'
import { Hero } from '../../components/hero.tsx'
import { useTitle } from '../../components/page.tsx'
import { ProblemAlert } from '../../components/problem-alert.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { About } from './about.tsx'
import { Episodes } from './episodes.tsx'
import { useKeeping } from './keeping.ts'
import { RefreshButton } from './podcasts.tsx'
import './podcasts.css'

const route = getRouteApi('/inside/podcasts/$id')

export function PodcastScreen() {
  const { id } = route.useParams()
  const podcast = useQuery(podcastQuery(useApi(), id))
  return (
    <div className="page">
      <Loaded
        query={podcast}
        bones={
          <>
            <Bones shape="hero" />
            <Bones shape="row" count={6} />
          </>
        }
      >
        {(found) => <PodcastFound podcast={found} />}
      </Loaded>
    </div>
  )
}

function PodcastFound({ podcast }: { podcast: PodcastSummary }) {
  const { say, format } = useWords()
  const keeps = useAccount()?.role === 'administrator'
  const { id, title, author, cover, description, episodeCount, newestAt, refreshing, trouble } = podcast
  useTitle(title)
  return (
    <>
      <Hero
        cover={{ kind: 'podcast', id, version: cover }}
        kind={say('kindPodcast')}
        title={title}
        sub={author}
        facts={[
          say('episodeCount', { count: episodeCount }),
          newestAt === undefined ? undefined : say('newestOn', { date: format.date(newestAt) }),
        ]}
        actions={keeps ? <Keeping podcast={podcast} /> : null}
      />
      {trouble === undefined || refreshing ? null : (
        <div className="podcast-alert">
          <ProblemAlert problem={{ type: 'about:blank', status: 500, ...trouble }} />
        </div>
      )}
      {description === undefined ? null : <About text={description} />}
      <section className="podcast-episodes" aria-label={say('episodes')}>
        <Episodes podcast={podcast} />
      </section>
    </>
  )
}

/** What administrators do with it. */
function Keeping({ podcast }: { podcast: PodcastSummary }) {
  const api = useApi()
  const { say } = useWords()
  const keep = useKeeping()
  const navigate = useNavigate()
  const [asking, setAsking] = useState(false)
  const { id, title: name, refreshing } = podcast
  const unsubscribe = async () => {
    const gone = await keep(() => api.unsubscribe(id), say('unsubscribed', { name }))
    if (gone) await navigate({ to: '/podcasts' })
  }
  return (
    <>
      <RefreshButton busy={refreshing} />
      <Button icon={Trash2} onClick={() => setAsking(true)}>
        {say('unsubscribe')}
      </Button>
      {asking ? (
        <Confirm
          title={say('unsubscribeTitle', { name })}
          text={say('unsubscribeText')}
          action={say('unsubscribe')}
          onConfirm={() => void unsubscribe()}
          onClose={() => setAsking(false)}
        />
      ) : null}
    </>
  )
}
