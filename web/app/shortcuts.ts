import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useServices } from './services.tsx'
import { usePlayer } from './sound.tsx'

/** The keys that work anywhere but in a text field. They are listed in the settings. */
export const shortcuts = [
  { keys: ['Space', 'K'], does: 'keyPlay' },
  { keys: ['J', 'L'], does: 'keySeek' },
  { keys: ['Shift + N', 'Shift + P'], does: 'keyTracks' },
  { keys: ['+', '-'], does: 'keyVolume' },
  { keys: ['M'], does: 'keyMute' },
  { keys: ['Q'], does: 'keyQueue' },
  { keys: ['/'], does: 'keySearch' },
] as const

const seekMs = 10_000
const volumeStep = 0.05

export function useShortcuts() {
  const player = usePlayer()
  const { view } = useServices()
  const router = useRouter()
  useEffect(() => {
    const step = (ms: number) => player.seek(player.state.get().positionMs + ms)
    const louder = (by: number) => player.setVolume(player.state.get().volume + by)
    const actions: Record<string, () => void> = {
      ' ': player.toggle,
      k: player.toggle,
      j: () => step(-seekMs),
      l: () => step(seekMs),
      N: player.next,
      P: player.previous,
      '+': () => louder(volumeStep),
      '-': () => louder(-volumeStep),
      m: () => player.setMuted(!player.state.get().muted),
      q: () => view.set({ queueOpen: !view.get().queueOpen }),
      '/': openSearch,
    }
    function openSearch() {
      const field = document.querySelector<HTMLInputElement>('.topbar input[type=search]')
      // At once, so that no key that follows is lost; on phones the field is on the screen of its own.
      if (field?.checkVisibility() === true) field.focus()
      else void router.navigate({ to: '/search' })
    }
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || takesKeys(event)) return
      const action = actions[event.key]
      if (action === undefined) return
      event.preventDefault()
      action()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [player, view, router])
}

/** Whether the focused element has its own use for the key. */
function takesKeys(event: KeyboardEvent): boolean {
  const { target } = event
  if (!(target instanceof Element)) return false
  if (target.closest('input:not([type=range]), textarea, select, dialog, [role=menu]') !== null) return true
  return event.key === ' ' && target.closest('button, a, [role=button]') !== null
}
