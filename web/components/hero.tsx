import type { ReactNode } from 'react'
import { Cover, type CoverOf } from './cover.tsx'
import './hero.css'

/** The head of an album, an artist or a playlist: its picture, which also tints the air behind it, and its name. */
export function Hero({
  cover,
  round = false,
  kind,
  title,
  sub,
  facts,
  actions,
}: {
  cover: CoverOf
  round?: boolean
  kind: string
  title: string
  sub?: ReactNode
  facts: readonly (string | undefined)[]
  actions: ReactNode
}) {
  return (
    <header className="hero">
      <div className="hero-air" aria-hidden>
        <Cover of={cover} size={64} eager />
      </div>
      <Cover of={cover} size={256} eager round={round} className="hero-cover" />
      <div className="hero-text">
        <p className="hero-kind">{kind}</p>
        <h1 dir="auto" data-long={title.length > 28 || undefined}>
          {title}
        </h1>
        {sub === undefined ? null : (
          <p dir="auto" className="hero-sub">
            {sub}
          </p>
        )}
        <p className="hero-facts">{facts.filter((fact) => fact !== undefined && fact !== '').join(' · ')}</p>
        <div className="hero-actions">{actions}</div>
      </div>
    </header>
  )
}
