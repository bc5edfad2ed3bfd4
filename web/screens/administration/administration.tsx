import { Link, type LinkProps, Outlet, useLocation } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { Page } from '../../components/page.tsx'
import { type PlainKey, useWords } from '../../i18n/i18n.tsx'
import './administration.css'

const parts: readonly { to: Exclude<LinkProps['to'], undefined>; word: PlainKey; exact?: boolean }[] = [
  { to: '/administration', word: 'libraries', exact: true },
  { to: '/administration/problems', word: 'problems' },
  { to: '/administration/users', word: 'users' },
  { to: '/administration/machines', word: 'machines' },
  { to: '/administration/status', word: 'status' },
]

export function Administration() {
  const { say } = useWords()
  const { pathname } = useLocation()
  const parted = useRef<HTMLElement>(null)
  // On a phone the row is wider than the screen.
  useEffect(() => {
    const open = parted.current?.querySelector(`a[href="${pathname}"]`)
    open?.scrollIntoView({ inline: 'nearest', block: 'nearest' })
  }, [pathname])
  const shown = parts.find(({ to }) => to === pathname.replace(/\/$/, ''))
  return (
    <Page title={say('administration')} part={shown && say(shown.word)}>
      <nav ref={parted} className="parts" aria-label={say('administration')}>
        {parts.map(({ to, word, exact = false }) => (
          <Link key={word} to={to} activeOptions={{ exact, includeSearch: false }}>
            {say(word)}
          </Link>
        ))}
      </nav>
      <Outlet />
    </Page>
  )
}
