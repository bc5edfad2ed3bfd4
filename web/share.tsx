import { createRoot } from 'react-dom/client'
import './styles/tokens.css'
import './styles/base.css'
import { SoundContext } from './app/sound.tsx'
import { preferredLanguage, WordsProvider } from './i18n/i18n.tsx'
import { SharedPage } from './screens/shared/shared.tsx'
import { openShare } from './screens/shared/visit.ts'

/** The page of a share, for people without an account: the player's core, and nothing of the pages inside. */
const root = document.getElementById('root')
if (root === null) throw new Error('share.html has no element with the id "root"')
const token = location.pathname.split('/')[2] ?? ''
const { sound, read } = openShare(token)
createRoot(root).render(
  <WordsProvider language={preferredLanguage(undefined, navigator.languages)}>
    <SoundContext value={sound}>
      <SharedPage read={read} />
    </SoundContext>
  </WordsProvider>,
)
