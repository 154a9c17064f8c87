//! Trees of files like the kernel's.

#![expect(clippy::disallowed_methods, reason = "test files need no durability")]

use super::*;
use tempfile::TempDir;

const DHT22: &str = "sys/bus/iio/devices/iio:device0";
const DHT22_FILES: &[(&str, &str)] = &[
    ("name", "dht11@4\n"),
    ("in_temp_input", "21300\n"),
    ("in_humidityrelative_input", "54600\n"),
];

fn kernel() -> (TempDir, KernelSensors) {
    let root = tempfile::tempdir().unwrap();
    let kernel = KernelSensors::under(root.path());
    (root, kernel)
}

fn plug_in(root: &TempDir, folder: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = root.path().join(folder);
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    folder
}

#[test]
fn a_dht22_is_found_by_any_of_its_names_and_again_after_unplugging() {
    let (root, kernel) = kernel();
    let folder = plug_in(&root, DHT22, DHT22_FILES);
    for name in ["dht22", "dht11", "dht11@4", "am2302"] {
        let reading = KernelAmbient::new(kernel.clone(), Some(name), None).read();
        assert_eq!(reading.temperature, Celsius::new(21.3), "{name}");
        assert_eq!(reading.humidity, RelativeHumidity::new(54.6), "{name}");
    }
    let mut ambient = KernelAmbient::new(kernel, Some("dht22"), None);
    fs::remove_dir_all(folder).unwrap();
    let unplugged = ambient.read();
    assert_eq!(unplugged.temperature, None);
    let fault = unplugged.faults[0].to_string();
    assert!(
        fault.contains("none at all; is the overlay of `dht22`"),
        "{fault}"
    );
    plug_in(&root, "sys/bus/iio/devices/iio:device7", DHT22_FILES);
    assert!(ambient.read().temperature.is_some(), "under another number");
}

#[test]
fn each_file_may_fail_and_the_next_reading_is_whole() {
    let (root, kernel) = kernel();
    let folder = plug_in(&root, DHT22, DHT22_FILES);
    let mut ambient = KernelAmbient::new(kernel, Some("dht22"), None);
    for (name, text) in &DHT22_FILES[1..] {
        for torn in ["", "no number", "nan", "99999999", "-99999999"] {
            fs::write(folder.join(name), torn).unwrap();
            let reading = ambient.read();
            assert_eq!(reading.temperature, None, "{name} says `{torn}`");
            assert_eq!(reading.humidity, None, "{name} says `{torn}`");
            assert_eq!(reading.faults.len(), 1);
        }
        // Reading a folder as a file fails like a device that fails.
        fs::remove_file(folder.join(name)).unwrap();
        fs::create_dir(folder.join(name)).unwrap();
        assert_eq!(ambient.read().faults.len(), 1, "{name} fails");
        fs::remove_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name), text).unwrap();
        assert!(ambient.read().faults.is_empty(), "{name} is back");
    }
}

#[test]
fn what_a_dht22_often_says_has_its_remedy() {
    let sensor = KernelSensor {
        name: "dht11@4".into(),
        folder: PathBuf::new(),
        measures: vec![Quantity::Temperature],
    };
    for errno in [Errno::TIMEDOUT, Errno::IO] {
        let fault = Named::new("climate", "dht22").unreadable(&sensor, errno.into());
        assert_eq!(fault.kind, FaultKind::Transient);
        assert!(fault.message.contains("check its wires"), "{fault}");
    }
}

#[test]
fn one_failure_is_forgiven() {
    let (root, kernel) = kernel();
    plug_in(&root, DHT22, DHT22_FILES);
    let tries = std::cell::Cell::new(0);
    let mut named = Named::new("climate", "dht22");
    let reading = named.read(&kernel, |sensor| {
        tries.set(tries.get() + 1);
        match tries.get() {
            1 => Err(Errno::TIMEDOUT.into()),
            _ => climate(sensor),
        }
    });
    assert_eq!(reading.unwrap().temperature, Celsius::new(21.3).unwrap());
}

#[test]
fn raw_numbers_are_scaled() {
    let (root, kernel) = kernel();
    let light = [
        ("name", "bh1750\n"),
        ("in_illuminance_raw", "33680\n"),
        ("in_illuminance_scale", "0.833333\n"),
    ];
    plug_in(&root, "sys/bus/iio/devices/iio:device1", &light);
    let climate = [
        ("name", "hdc1080\n"),
        ("in_temp_raw", "26214\n"),
        ("in_temp_scale", "2.517700195\n"),
        ("in_temp_offset", "-15887.515151\n"),
        ("in_humidityrelative_raw", "32768\n"),
        ("in_humidityrelative_scale", "1.525878906\n"),
    ];
    plug_in(&root, "sys/bus/iio/devices/iio:device2", &climate);
    let reading = KernelAmbient::new(kernel, Some("hdc1080"), Some("bh1750")).read();
    let near = |found: f64, expected: f64| (found - expected).abs() < 0.01;
    assert!(near(reading.light.unwrap().lux(), 28_066.66));
    assert!(near(reading.temperature.unwrap().celsius(), 26.0));
    assert!(near(reading.humidity.unwrap().percent(), 50.0));
}

#[test]
fn batteries_are_read_from_hwmon_and_from_converters() {
    let (root, kernel) = kernel();
    let ina219 = [
        ("name", "ina219\n"),
        ("in0_input", "3\n"),
        ("in1_input", "12648\n"),
    ];
    plug_in(&root, "sys/class/hwmon/hwmon2", &ina219);
    let ads1015 = [
        ("name", "ads1015\n"),
        ("in_voltage0_raw", "0\n"),
        ("in_voltage2_raw", "1150\n"),
        ("in_voltage_scale", "1.000000\n"),
    ];
    plug_in(&root, "sys/bus/iio/devices/iio:device0", &ads1015);
    let one = DividerRatio::new(1.0).unwrap();
    let mut battery = KernelBattery::new(kernel.clone(), "ina219", "in1", one);
    assert_eq!(battery.read().battery, Volts::new(12.648));
    let eleven = DividerRatio::new(11.0).unwrap();
    let mut battery = KernelBattery::new(kernel.clone(), "ads1015", "in_voltage2", eleven);
    let volts = battery.read().battery.unwrap().volts();
    assert!((volts - 12.65).abs() < 1e-9, "{volts}");
    let mut nowhere = KernelBattery::new(kernel, "ina219", "in7", one);
    let fault = nowhere.read().fault.unwrap();
    assert!(fault.message.contains("does not measure that"), "{fault}");
}

#[test]
fn a_list_names_what_each_sensor_measures() {
    let (root, kernel) = kernel();
    plug_in(&root, DHT22, DHT22_FILES);
    let heat = [("name", "cpu_thermal\n"), ("temp1_input", "51100\n")];
    plug_in(&root, "sys/class/hwmon/hwmon0", &heat);
    plug_in(&root, "sys/class/hwmon/hwmon1", &[("name", "pwmfan\n")]);
    let names: Vec<String> = kernel.list().iter().map(KernelSensor::to_string).collect();
    assert_eq!(
        names,
        ["dht11@4  temperature, humidity", "cpu_thermal  temperature"]
    );
    let wrong = KernelAmbient::new(kernel, Some("sht3x"), None).read();
    let fault = wrong.faults[0].to_string();
    assert!(fault.contains("only dht11@4, cpu_thermal"), "{fault}");
}

#[test]
fn a_value_that_never_changes_is_stuck_in_the_end() {
    let (root, kernel) = kernel();
    let folder = plug_in(&root, DHT22, DHT22_FILES);
    let mut ambient = KernelAmbient::new(kernel, Some("dht22"), None);
    assert!((1..500).all(|_| ambient.read().temperature.is_some()));
    let stuck = ambient.read();
    assert_eq!(stuck.temperature, None);
    assert_eq!(stuck.faults[0].kind, FaultKind::Broken);
    fs::write(folder.join("in_temp_input"), "21400\n").unwrap();
    assert!(ambient.read().temperature.is_some());
}
