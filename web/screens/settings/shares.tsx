import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Copy } from 'lucide-react'
import type { ShareSummary } from '../../../src/protocol/api/listening.ts'
import { problemOf } from '../../api/problem.ts'
import { useNotify } from '../../app/notices.tsx'
import { sharesQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Button, IconButton } from '../../components/controls.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'

/** The links that this account has given away, and the way to take them back. */
export function Shares() {
  const api = useApi()
  const { say } = useWords()
  const shares = useQuery(sharesQuery(api))
  return (
    <section className="panel">
      <h2>{say('shares')}</h2>
      <p className="soft">{say('sharesText')}</p>
      <Loaded query={shares} bones={<Bones shape="line" count={2} />}>
        {({ items }) =>
          items.length === 0 ? (
            <p>{say('noShares')}</p>
          ) : (
            <ul className="lines">
              {items.map((share) => (
                <ShareLine key={share.token} share={share} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  )
}

function ShareLine({ share }: { share: ShareSummary }) {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say, format } = useWords()
  const name = share.name ?? say('shareGone')
  const more = share.items.length - 1
  const { expiresAt, visitCount, description } = share
  const facts = [
    format.date(share.createdAt),
    expiresAt === undefined
      ? undefined
      : say(expiresAt > Date.now() ? 'shareUntil' : 'shareEnded', { date: format.date(expiresAt) }),
    visitCount === 0 ? say('shareUnopened') : say('shareVisits', { count: visitCount }),
  ]

  const revoke = async () => {
    try {
      await api.removeShare(share.token)
      notify(say('shareRevoked'))
    } catch (error) {
      notify(problemOf(error))
    }
    await queries.invalidateQueries(sharesQuery(api))
  }

  return (
    <li>
      <div>
        <b>
          <a href={share.url} target="_blank" rel="noreferrer">
            {name}
          </a>
          {more > 0 ? ` ${say('shareMore', { count: more })}` : ''}
        </b>
        {description === undefined ? null : <p>{description}</p>}
        <p className="fine">{facts.filter((fact) => fact !== undefined).join(' · ')}</p>
      </div>
      <span className="row">
        {navigator.clipboard === undefined ? null : (
          <IconButton
            icon={Copy}
            label={say('copyLinkOf', { name })}
            onClick={() =>
              void navigator.clipboard.writeText(share.url).then(() => notify(say('shareCopied')))
            }
          />
        )}
        <Button look="danger" aria-label={say('shareRevokeNamed', { name })} onClick={() => void revoke()}>
          {say('shareRevoke')}
        </Button>
      </span>
    </li>
  )
}
