import { useState } from 'react'
import { readItem, writeItem } from '../player/settings.ts'

export type Theme = 'system' | 'light' | 'dark'
const storageKey = 'hocket.theme'

/** The theme that this browser shows. `public/theme.js` puts it in place before the first paint of a visit. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const stored = readItem(window.localStorage, storageKey)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  })
  return [
    theme,
    (chosen) => {
      writeItem(window.localStorage, storageKey, chosen)
      if (chosen === 'system') delete document.documentElement.dataset.theme
      else document.documentElement.dataset.theme = chosen
      setTheme(chosen)
    },
  ]
}
