import { Link, type LinkProps } from '@tanstack/react-router'
import { LogOut, type LucideIcon, Server, Settings, Upload } from 'lucide-react'
import { useAccount, useSignOut } from '../../app/account.ts'
import { library } from '../../app/navigation.tsx'
import { Page } from '../../components/page.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import '../folders/folders.css'

/** On phones: everything that the tab bar has no room for. */
export function More() {
  const { say } = useWords()
  const account = useAccount()
  const signOut = useSignOut()
  return (
    <Page title={account?.name ?? ''}>
      <ul>
        {library.map(({ to, word, icon }) => (
          <Row key={word} to={to} icon={icon} text={say(word)} />
        ))}
      </ul>
      <hr className="more-line" />
      <ul>
        <Row to="/uploads" icon={Upload} text={say('uploads')} />
        <Row to="/settings" icon={Settings} text={say('settings')} />
        {account?.role === 'administrator' ? (
          <Row to="/administration" icon={Server} text={say('administration')} />
        ) : null}
        <li>
          <button type="button" className="folder" onClick={() => void signOut()}>
            <LogOut size={20} aria-hidden />
            <span>{say('signOut')}</span>
          </button>
        </li>
      </ul>
    </Page>
  )
}

function Row({
  to,
  icon: Icon,
  text,
}: {
  to: Exclude<LinkProps['to'], undefined>
  icon: LucideIcon
  text: string
}) {
  return (
    <li>
      <Link to={to} className="folder">
        <Icon size={20} aria-hidden />
        <span>{text}</span>
      </Link>
    </li>
  )
}
