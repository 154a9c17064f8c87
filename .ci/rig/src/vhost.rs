//! The bus as the guest's kernel sees it: a virtio I²C adapter (virtio 1.2, section 5.22), served over vhost-user.
//!
//! A request is a head (address and flags), a buffer unless it is empty, and a byte for the outcome.

use crate::bus::{Bus, Transfer};
use anyhow::{Context as _, Result, anyhow};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use vhost::vhost_user::message::{VhostUserProtocolFeatures, VhostUserVirtioFeatures};
use vhost_user_backend::{VhostUserBackendMut, VhostUserDaemon, VringRwLock, VringT};
use virtio_bindings::bindings::virtio_config::{VIRTIO_F_NOTIFY_ON_EMPTY, VIRTIO_F_VERSION_1};
use virtio_bindings::bindings::virtio_ring::{
    VIRTIO_RING_F_EVENT_IDX, VIRTIO_RING_F_INDIRECT_DESC,
};
use virtio_queue::desc::split::Descriptor;
use virtio_queue::{DescriptorChain, QueueOwnedT as _};
use vm_memory::{Bytes as _, GuestAddressSpace as _, GuestMemoryAtomic, GuestMemoryMmap};
use vmm_sys_util::epoll::EventSet;

/// The device takes transfers without bytes, with which a bus is scanned.
const VIRTIO_I2C_F_ZERO_LENGTH_REQUEST: u64 = 1;
/// The rest of the requests up to the one without this flag fail with it.
const FAIL_NEXT: u32 = 1;
const READ: u32 = 2;
const DONE: u8 = 0;
const FAILED: u8 = 1;
const QUEUE_SIZE_MAX: usize = 1024;
/// No driver of a trap moves more in one transfer.
const BUFFER_BYTES_MAX: u32 = 8192;

type Memory = GuestMemoryAtomic<GuestMemoryMmap>;

/// Serves the bus to one machine after the other.
pub(crate) fn serve(socket: &Path, bus: &Arc<Mutex<Bus>>) -> Result<()> {
    loop {
        let adapter = Adapter {
            bus: Arc::clone(bus),
            event_idx: false,
            memory: None,
        };
        let adapter = Arc::new(RwLock::new(adapter));
        let memory = Memory::new(GuestMemoryMmap::new());
        let mut daemon = VhostUserDaemon::new("i2c".to_owned(), adapter, memory)
            .map_err(|why| anyhow!("{why}"))
            .context("cannot play the bus")?;
        // A machine that goes ends with an error here as well; the next one is waited for.
        if let Err(why) = daemon.serve(socket)
            && !socket.exists()
        {
            return Err(anyhow!("{}: {why}", socket.display()));
        }
    }
}

struct Adapter {
    bus: Arc<Mutex<Bus>>,
    event_idx: bool,
    memory: Option<Memory>,
}

/// One request of the guest.
struct Request {
    address: u16,
    flags: u32,
    buffer: Option<Descriptor>,
    outcome: Descriptor,
}

impl Request {
    fn of<M>(memory: &GuestMemoryMmap, chain: DescriptorChain<M>) -> io::Result<Self>
    where
        M: std::ops::Deref<Target = GuestMemoryMmap> + Clone,
    {
        let parts: Vec<Descriptor> = chain.collect();
        let (head, buffer, outcome) = match *parts.as_slice() {
            [head, outcome] => (head, None, outcome),
            [head, buffer, outcome] => (head, Some(buffer), outcome),
            _ => return Err(io::Error::other("a request of another form")),
        };
        let mut bytes = [0; 8];
        memory
            .read_slice(&mut bytes, head.addr())
            .map_err(io::Error::other)?;
        let [low, high, _, _, flags @ ..] = bytes;
        Ok(Self {
            address: u16::from_le_bytes([low, high]) >> 1,
            flags: u32::from_le_bytes(flags),
            buffer: buffer.filter(|buffer| buffer.len() <= BUFFER_BYTES_MAX),
            outcome,
        })
    }
}

impl Adapter {
    /// Does what is in the queue; all requests of one message of the guest come together.
    fn work(&self, vring: &VringRwLock) -> io::Result<()> {
        let Some(memory) = &self.memory else {
            return Err(io::Error::other("no memory yet"));
        };
        let memory = memory.memory();
        let chains: Vec<_> = {
            let mut vring = vring.get_mut();
            let queue = vring.get_queue_mut();
            queue
                .iter(memory.clone())
                .map_err(io::Error::other)?
                .collect()
        };
        let mut broken = false;
        for chain in chains {
            let head = chain.head_index();
            let request = Request::of(&memory, chain)?;
            let moved = if broken {
                None
            } else {
                self.transfer(&memory, &request)?
            };
            broken = moved.is_none() && request.flags & FAIL_NEXT != 0;
            let outcome = if moved.is_some() { DONE } else { FAILED };
            memory
                .write_slice(&[outcome], request.outcome.addr())
                .map_err(io::Error::other)?;
            let used = moved.unwrap_or(0) + 1;
            vring.add_used(head, used).map_err(io::Error::other)?;
        }
        vring.signal_used_queue()
    }

    /// How many bytes the guest was given; `None` when nobody acknowledged.
    fn transfer(&self, memory: &GuestMemoryMmap, request: &Request) -> io::Result<Option<u32>> {
        let length = request.buffer.map_or(0, |buffer| buffer.len());
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let is_read = request.flags & READ != 0;
        if let Some(buffer) = request.buffer.filter(|_| !is_read) {
            memory
                .read_slice(&mut bytes, buffer.addr())
                .map_err(io::Error::other)?;
        }
        let delay = self.bus().delay(request.address);
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        let transfer = if is_read {
            Transfer::Read(&mut bytes)
        } else {
            Transfer::Write(&bytes)
        };
        if self.bus().transfer(request.address, transfer).is_err() {
            return Ok(None);
        }
        match request.buffer.filter(|_| is_read) {
            None => Ok(Some(0)),
            Some(buffer) => {
                memory
                    .write_slice(&bytes, buffer.addr())
                    .map_err(io::Error::other)?;
                Ok(Some(length))
            }
        }
    }

    fn bus(&self) -> std::sync::MutexGuard<'_, Bus> {
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl VhostUserBackendMut for Adapter {
    type Vring = VringRwLock;
    type Bitmap = ();

    fn num_queues(&self) -> usize {
        1
    }

    fn max_queue_size(&self) -> usize {
        QUEUE_SIZE_MAX
    }

    fn features(&self) -> u64 {
        let ring = [
            VIRTIO_F_VERSION_1,
            VIRTIO_F_NOTIFY_ON_EMPTY,
            VIRTIO_RING_F_INDIRECT_DESC,
            VIRTIO_RING_F_EVENT_IDX,
        ];
        let ring = ring.into_iter().fold(0, |all, bit| all | 1_u64 << bit);
        ring | VIRTIO_I2C_F_ZERO_LENGTH_REQUEST | VhostUserVirtioFeatures::PROTOCOL_FEATURES.bits()
    }

    fn protocol_features(&self) -> VhostUserProtocolFeatures {
        VhostUserProtocolFeatures::MQ
    }

    fn set_event_idx(&mut self, enabled: bool) {
        self.event_idx = enabled;
    }

    fn update_memory(&mut self, memory: Memory) -> io::Result<()> {
        self.memory = Some(memory);
        Ok(())
    }

    fn handle_event(
        &mut self,
        _event: u16,
        _set: EventSet,
        vrings: &[VringRwLock],
        _thread: usize,
    ) -> io::Result<()> {
        let vring = vrings.first().ok_or_else(|| io::Error::other("no queue"))?;
        if !self.event_idx {
            return self.work(vring);
        }
        loop {
            vring.disable_notification().map_err(io::Error::other)?;
            self.work(vring)?;
            if !vring.enable_notification().map_err(io::Error::other)? {
                return Ok(());
            }
        }
    }
}
