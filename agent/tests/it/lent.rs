//! Devices that hang, panic and come back.

use std::time::Duration;
use trapline_agent::hands::Hands;
use trapline_agent::lent::{Lent, NotBack};

const DEADLINE: Duration = Duration::from_secs(20);

fn hang(_device: &mut &str) {
    loop {
        std::thread::park();
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_that_hangs_is_gone_until_another_takes_its_place() {
    let mut camera = Lent::of("first");
    let began = tokio::time::Instant::now();
    let hung = camera.job(Hands::Threads, DEADLINE, hang).await;
    assert_eq!((hung, began.elapsed()), (Err(NotBack::Hung), DEADLINE));
    assert!(!camera.is_here());
    let away = camera.job(Hands::Threads, DEADLINE, |name| *name).await;
    assert_eq!((away, camera.hanging()), (Err(NotBack::Away), 1));
    camera.put("second");
    let name = camera.job(Hands::Inline, DEADLINE, |name| *name).await;
    assert_eq!((name, camera.hanging()), (Ok("second"), 1));
}

#[tokio::test(start_paused = true)]
async fn a_device_that_panics_is_gone_with_its_words() {
    let mut camera = Lent::of("first");
    let job = |_: &mut &str| -> () { panic!("register 7") };
    let panicked = camera.job(Hands::Inline, DEADLINE, job).await;
    assert_eq!(panicked, Err(NotBack::Panicked("register 7".to_owned())));
    assert!(!camera.is_here());
}
