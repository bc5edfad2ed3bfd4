import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Globe, MoreHorizontal, Pencil, Play, Plus, Radio, Square, Trash2 } from 'lucide-react'
import { useState } from 'react'
import type { Station } from '../../../src/protocol/facts/listening.ts'
import { problemOf } from '../../api/problem.ts'
import { useAccount } from '../../app/account.ts'
import { useNotify } from '../../app/notices.tsx'
import { stationsQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { usePlayer, usePlayerState } from '../../app/sound.tsx'
import { AddressField, Button, IconButton, RoundPlay, TextField } from '../../components/controls.tsx'
import { Cover } from '../../components/cover.tsx'
import { Confirm } from '../../components/dialog.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { Sounding } from '../../components/logo.tsx'
import { useMenu } from '../../components/menu.tsx'
import { Page } from '../../components/page.tsx'
import { Bones, EmptyState, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'
import { playableStation } from '../../player/playable.ts'
import { currentEntry } from '../../player/queue.ts'
import './radio.css'

/** Internet radio, which administrators keep for everyone. */
export function RadioScreen() {
  const { say } = useWords()
  const stations = useQuery(stationsQuery(useApi()))
  const keeps = useAccount()?.role === 'administrator'
  const [adding, setAdding] = useState(false)
  const add = (
    <Button look="primary" icon={Plus} onClick={() => setAdding(true)}>
      {say('addStation')}
    </Button>
  )
  const some = (stations.data?.items.length ?? 0) > 0
  return (
    <Page title={say('radio')} tools={keeps && some ? add : undefined}>
      <Loaded query={stations} bones={<Bones shape="row" count={4} />}>
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState
              icon={Radio}
              title={say('noStationsTitle')}
              text={say(keeps ? 'noStationsAdministrator' : 'noStationsUser')}
            >
              {keeps ? add : undefined}
            </EmptyState>
          ) : (
            <ul className="stations" aria-label={say('stations')}>
              {items.map((station) => (
                <li key={station.id} className="station">
                  <StationRow station={station} keeps={keeps} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {adding ? <StationDialog onClose={() => setAdding(false)} /> : null}
    </Page>
  )
}

function StationRow({ station, keeps }: { station: Station; keeps: boolean }) {
  const player = usePlayer()
  const { say } = useWords()
  const { id, name, homePageUrl } = station
  const current = usePlayerState((state) => currentEntry(state.queue)?.track.id === id)
  const sounds = usePlayerState(
    (state) =>
      current && (state.status === 'playing' || state.status === 'loading' || state.status === 'recovering'),
  )
  const label = say(sounds ? 'stopNamed' : 'playNamed', { name })
  const Icon = sounds ? Square : Play
  const listen = () => {
    if (sounds) player.pause()
    else player.playAll([playableStation(station)])
  }
  return (
    <>
      <span className="station-cover">
        <Cover of={{ kind: 'station', id, version: name }} size={64} />
        {sounds ? (
          <span className="sounding-veil">
            <Sounding />
          </span>
        ) : null}
      </span>
      <div className="station-text">
        <h2 dir="auto" className={current ? 'station-sounds' : undefined}>
          {name}
        </h2>
        <p className="fine">{new URL(homePageUrl ?? station.streamUrl).hostname}</p>
      </div>
      {homePageUrl === undefined ? null : (
        <a
          className="icon-button"
          href={homePageUrl}
          target="_blank"
          rel="noreferrer"
          aria-label={say('homePageOf', { name })}
          title={say('homePageOf', { name })}
        >
          <Globe size={20} aria-hidden />
        </a>
      )}
      <RoundPlay icon={Icon} label={label} onClick={listen} />
      {keeps ? <StationMenu station={station} /> : null}
    </>
  )
}

function StationMenu({ station }: { station: Station }) {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const showMenu = useMenu()
  const { say } = useWords()
  const [open, setOpen] = useState<'edit' | 'remove'>()
  const { id, name } = station
  const label = say('menuNamed', { name })
  const close = () => setOpen(undefined)
  const remove = async () => {
    try {
      await api.removeStation(id)
      await queries.invalidateQueries({ queryKey: ['stations'] })
      notify(say('stationRemoved', { name }))
    } catch (error) {
      notify(problemOf(error))
    }
  }
  const items = [
    { label: say('edit'), icon: Pencil, run: () => setOpen('edit') },
    { label: say('remove'), icon: Trash2, danger: true, run: () => setOpen('remove') },
  ]
  return (
    <>
      <IconButton
        icon={MoreHorizontal}
        label={label}
        onClick={(event) => showMenu({ items, label, from: event.currentTarget })}
      />
      {open === 'edit' ? <StationDialog station={station} onClose={close} /> : null}
      {open === 'remove' ? (
        <Confirm
          title={say('removeStationTitle', { name })}
          text={say('removeStationText')}
          action={say('remove')}
          onConfirm={() => void remove()}
          onClose={close}
        />
      ) : null}
    </>
  )
}

/** Adds a station, or changes `station`. */
function StationDialog({ station, onClose }: { station?: Station; onClose(): void }) {
  const api = useApi()
  const queries = useQueryClient()
  const notify = useNotify()
  const { say } = useWords()
  const [name, setName] = useState(station?.name ?? '')
  const [stream, setStream] = useState(station?.streamUrl ?? '')
  const [home, setHome] = useState(station?.homePageUrl ?? '')
  const save = async () => {
    const homePage = home.trim() === '' ? {} : { homePageUrl: home.trim() }
    const input = { name: name.trim(), streamUrl: stream.trim(), ...homePage }
    if (station === undefined) await api.makeStation(input)
    else await api.changeStation(station.id, input)
    await queries.invalidateQueries({ queryKey: ['stations'] })
    if (station === undefined) notify(say('stationAdded', { name: input.name }))
    onClose()
  }
  return (
    <FormDialog
      title={say(station === undefined ? 'addStation' : 'editStation')}
      action={say('save')}
      onSubmit={save}
      onClose={onClose}
    >
      <TextField label={say('name')} value={name} maxLength={300} onChange={setName} />
      <AddressField
        label={say('streamAddress')}
        hint={say('streamAddressHint')}
        value={stream}
        maxLength={2_000}
        required
        onChange={setStream}
      />
      <AddressField
        label={say('homePage')}
        hint={say('homePageHint')}
        value={home}
        maxLength={2_000}
        onChange={setHome}
      />
    </FormDialog>
  )
}
