import { createContext, useContext, useSyncExternalStore } from 'react'
import type { Player, PlayerState } from '../player/state.ts'

/** What every page that plays has, the page of a share too: the player, and where bytes are to be had. */
export interface Sound {
  readonly player: Player
  /** The address of what the browser loads by itself (audio, pictures), for a path of `/api`. */
  address(path: string): string
}

export const SoundContext = createContext<Sound | undefined>(undefined)

function useSound(): Sound {
  const sound = useContext(SoundContext)
  if (sound === undefined) throw new Error('There is no SoundContext above this component')
  return sound
}

export function usePlayer(): Player {
  return useSound().player
}

/** A part of the player's state. `select` must answer the same value while nothing of it has changed. */
export function usePlayerState<T>(select: (state: PlayerState) => T): T {
  const { state } = usePlayer()
  return useSyncExternalStore(state.subscribe, () => select(state.get()))
}

/** Where a path is to be had now. */
export function useAddress(): (path: string) => string {
  return useSound().address
}
