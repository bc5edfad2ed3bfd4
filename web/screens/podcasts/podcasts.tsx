import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Plus, Podcast as PodcastIcon, RotateCw, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import type { PodcastSummary } from '../../../src/protocol/api/podcasts.ts'
import { useAccount } from '../../app/account.ts'
import { podcastsQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { AddressField, Button } from '../../components/controls.tsx'
import { Cover } from '../../components/cover.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { Page } from '../../components/page.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { Episodes } from './episodes.tsx'
import { useKeeping } from './keeping.ts'
import '../../components/cards.css'
import './podcasts.css'

/** What this server is subscribed to, for everyone, and what is new of it. */
export function Podcasts() {
  const { say } = useWords()
  const podcasts = useQuery(podcastsQuery(useApi()))
  const keeps = useAccount()?.role === 'administrator'
  const [subscribing, setSubscribing] = useState(false)
  const some = (podcasts.data?.items.length ?? 0) > 0
  return (
    <Page
      title={say('podcasts')}
      tools={
        keeps && some ? (
          <>
            <Button look="primary" icon={Plus} onClick={() => setSubscribing(true)}>
              {say('subscribe')}
            </Button>
            <RefreshButton busy={podcasts.data?.items.some(({ refreshing }) => refreshing) === true} />
          </>
        ) : undefined
      }
    >
      <Loaded query={podcasts} bones={<Bones shape="card" count={6} />}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState
              icon={PodcastIcon}
              title={say('noPodcastsTitle')}
              text={say(keeps ? 'noPodcastsAdministrator' : 'noPodcastsUser')}
            >
              {keeps ? (
                <Button look="primary" icon={Plus} onClick={() => setSubscribing(true)}>
                  {say('subscribe')}
                </Button>
              ) : undefined}
            </EmptyState>
          ) : (
            <>
              <ul className="podcasts">
                {items.map((podcast) => (
                  <li key={podcast.id}>
                    <PodcastCard podcast={podcast} />
                  </li>
                ))}
              </ul>
              <section className="podcast-episodes">
                <h2>{say('newestEpisodes')}</h2>
                <Episodes />
              </section>
            </>
          )
        }
      </Loaded>
      {subscribing ? <SubscribeDialog onClose={() => setSubscribing(false)} /> : null}
    </Page>
  )
}

function PodcastCard({ podcast }: { podcast: PodcastSummary }) {
  const words = useWords()
  const { say } = words
  const { id, title, author, cover, description, episodeCount, trouble, refreshing } = podcast
  return (
    <article className="card">
      <div className="card-cover">
        <Cover of={{ kind: 'podcast', id, version: cover }} size={256} />
      </div>
      <Link dir="auto" to="/podcasts/$id" params={{ id }} className="card-link">
        {title}
      </Link>
      {trouble !== undefined && !refreshing ? (
        <p className="card-sub podcast-trouble">
          <TriangleAlert size={14} aria-hidden />
          {words.problem({ type: 'about:blank', status: 500, ...trouble }).title}
        </p>
      ) : (
        <p dir="auto" className="card-sub">
          {refreshing ? say('lookingForEpisodes') : (author ?? say('episodeCount', { count: episodeCount }))}
        </p>
      )}
      {description === undefined ? null : (
        <p dir="auto" className="podcast-about">
          {description}
        </p>
      )}
    </article>
  )
}

/** `busy`: feeds are being looked at. */
export function RefreshButton({ busy }: { busy: boolean }) {
  const api = useApi()
  const keep = useKeeping()
  const { say } = useWords()
  return (
    <Button icon={RotateCw} busy={busy} onClick={() => void keep(api.refreshPodcasts)}>
      {say(busy ? 'lookingForEpisodes' : 'lookForEpisodes')}
    </Button>
  )
}

function SubscribeDialog({ onClose }: { onClose(): void }) {
  const api = useApi()
  const keep = useKeeping()
  const { say } = useWords()
  const [url, setUrl] = useState('')
  const subscribe = async () => {
    await api.subscribe(url.trim())
    await keep(async () => undefined, say('subscribed'))
    onClose()
  }
  return (
    <FormDialog
      title={say('subscribeTitle')}
      action={say('subscribe')}
      onSubmit={subscribe}
      onClose={onClose}
    >
      <AddressField
        label={say('feedAddress')}
        hint={say('feedAddressHint')}
        value={url}
        maxLength={4_000}
        required
        onChange={setUrl}
      />
    </FormDialog>
  )
}
