//! Upload clients that others wrote: they speak tus, so our server must.

use crate::build::{self, Profile};
use crate::trap::Server;
use crate::{process, setup};
use anyhow::Result;
use std::process::Command;

pub(super) fn run() -> Result<()> {
    setup::need_python_venv()?;
    let programs = build::programs(Profile::Debug)?;
    let folder = build::target_folder()?.join("upload-clients");
    std::fs::create_dir_all(&folder)?;
    let sources = process::root().join("sync-server/tests/clients");
    let venv = folder.join("venv");
    if !venv.join("bin/pip").exists() {
        process::run(Command::new("python3").arg("-m").arg("venv").arg(&venv))?;
    }
    process::run(
        Command::new(venv.join("bin/pip"))
            .args(["install", "-q", "--disable-pip-version-check", "-r"])
            .arg(sources.join("requirements.txt")),
    )?;
    process::run(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&sources),
    )?;
    let data = folder.join("server");
    if data.exists() {
        std::fs::remove_dir_all(&data)?;
    }
    let server = Server::start(&programs, &data, "127.0.0.1:0")?;
    let key = server.add_trap("clients")?;
    process::run(
        Command::new(venv.join("bin/python"))
            .arg(sources.join("tuspy_client.py"))
            .env("TRAPLINE_URL", &server.url)
            .env("TRAPLINE_KEY", &key),
    )?;
    process::run(
        Command::new("node")
            .arg(sources.join("tus_js_client.mjs"))
            .env("TRAPLINE_URL", &server.url)
            .env("TRAPLINE_KEY", &key),
    )
}
