/*
 * QMP: the types and events, under QEMU's names (its qapi/ folder), as far as commands and
 * events here lead to them.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "machine/monitor/qmp-types.h"

#include "hw/input/keys.h"
#include "machine/user-object.h"

static const char *key_name(int i)
{
    return i < input_keys() ? input_key(i)->name : NULL;
}

/* clang-format off */
const QmpType qmp_types[] = {
    /* The protocol itself */
    {QMP_ENUM, "QMPCapability", "oob"},
    {QMP_OBJECT, "CommandInfo", "name:str"},
    {QMP_OBJECT, "VersionInfo", "qemu:VersionTriple,package:str"},
    {QMP_OBJECT, "VersionTriple", "major:int,minor:int,micro:int"},
    {QMP_OBJECT, "HumanReadableText", "human-readable-text:str"},
    {QMP_ENUM, "SchemaMetaType", "builtin|enum|array|object|alternate|command|event"},
    {QMP_UNION, "SchemaInfo", "meta-type:SchemaMetaType,name:str,features:[str]?",
     "builtin={json-type:JSONType},enum={members:[SchemaInfoEnumMember],values:[str]},"
     "array={element-type:str},"
     "object={members:[SchemaInfoObjectMember],tag:str?,"
     "variants:[SchemaInfoObjectVariant]?},"
     "alternate={members:[SchemaInfoAlternateMember]},"
     "command={arg-type:str,ret-type:str,allow-oob:bool?},event={arg-type:str}"},
    {QMP_ENUM, "JSONType", "string|number|int|boolean|null|object|array|value"},
    {QMP_OBJECT, "SchemaInfoEnumMember", "name:str,features:[str]?"},
    {QMP_OBJECT, "SchemaInfoObjectMember", "name:str,type:str,default:any?,features:[str]?"},
    {QMP_OBJECT, "SchemaInfoObjectVariant", "case:str,type:str"},
    {QMP_OBJECT, "SchemaInfoAlternateMember", "type:str"},
    {QMP_OBJECT, "CommandLineOptionInfo",
     "option:str,parameters:[CommandLineParameterInfo]"},
    {QMP_OBJECT, "CommandLineParameterInfo",
     "name:str,type:CommandLineParameterType,help:str?,default:str?"},
    {QMP_ENUM, "CommandLineParameterType", "string|boolean|number|size"},

    /* Running */
    {QMP_OBJECT, "StatusInfo", "running:bool,singlestep:bool,status:RunState"},
    {QMP_ENUM, "RunState",
     "debug|inmigrate|internal-error|io-error|paused|postmigrate|prelaunch|finish-migrate|"
     "restore-vm|running|save-vm|shutdown|suspended|watchdog|guest-panicked|colo"},
    {QMP_ENUM, "ShutdownCause",
     "none|host-error|host-qmp-quit|host-qmp-system-reset|host-signal|host-ui|"
     "guest-shutdown|guest-reset|guest-panic|subsystem-reset|snapshot-load"},
    {QMP_ENUM, "RebootAction", "reset|shutdown"},
    {QMP_ENUM, "ShutdownAction", "poweroff|pause"},
    {QMP_ENUM, "PanicAction", "pause|shutdown|exit-failure|none"},
    {QMP_ENUM, "WatchdogAction", "reset|shutdown|poweroff|pause|debug|none|inject-nmi"},
    {QMP_ENUM, "GuestPanicAction", "pause|poweroff|run"},
    {QMP_OBJECT, "ReplayInfo", "mode:ReplayMode,filename:str?,icount:int"},
    {QMP_ENUM, "ReplayMode", "none|record|play"},

    /* The machine */
    {QMP_OBJECT, "NameInfo", "name:str?"},
    {QMP_OBJECT, "GuidInfo", "guid:str"},
    {QMP_OBJECT, "UuidInfo", "UUID:str"},
    {QMP_OBJECT, "KvmInfo", "enabled:bool,present:bool"},
    {QMP_OBJECT, "TargetInfo", "arch:SysEmuTarget"},
    {QMP_ENUM, "SysEmuTarget", "i386|x86_64"},
    {QMP_OBJECT, "CurrentMachineParams", "wakeup-suspend-support:bool"},
    {QMP_OBJECT, "MachineInfo",
     "name:str,alias:str?,is-default:bool?,cpu-max:int,hotpluggable-cpus:bool,"
     "numa-mem-supported:bool,deprecated:bool,default-cpu-type:str?,default-ram-id:str?"},
    {QMP_OBJECT, "MemoryInfo", "base-memory:int,plugged-memory:int?"},
    {QMP_UNION, "MemoryDeviceInfo", "type:MemoryDeviceInfoKind",
     "dimm={data:PCDIMMDeviceInfo}"},
    {QMP_ENUM, "MemoryDeviceInfoKind", "dimm"},
    {QMP_OBJECT, "PCDIMMDeviceInfo",
     "id:str?,addr:int,size:int,slot:int,node:int,memdev:str,hotplugged:bool,"
     "hotpluggable:bool"},
    {QMP_OBJECT, "Memdev",
     "id:str?,size:int,merge:bool,dump:bool,prealloc:bool,share:bool,reserve:bool?,"
     "host-nodes:[int],policy:HostMemPolicy"},
    {QMP_ENUM, "HostMemPolicy", "default|preferred|bind|interleave"},
    {QMP_OBJECT, "IOThreadInfo",
     "id:str,thread-id:int,poll-max-ns:int,poll-grow:int,poll-shrink:int,"
     "aio-max-batch:int"},
    {QMP_OBJECT, "GuidInfo", "guid:str"},
    {QMP_OBJECT, "ACPIOSTInfo",
     "device:str?,slot:str,slot-type:ACPISlotType,source:int,status:int"},
    {QMP_ENUM, "ACPISlotType", "DIMM|CPU"},

    /* CPUs */
    {QMP_UNION, "CpuInfoFast",
     "target:SysEmuTarget,cpu-index:int,qom-path:str,thread-id:int,"
     "props:CpuInstanceProperties?", ""},
    {QMP_OBJECT, "CpuInstanceProperties",
     "node-id:int?,socket-id:int?,die-id:int?,cluster-id:int?,core-id:int?,thread-id:int?"},
    {QMP_OBJECT, "HotpluggableCPU",
     "type:str,vcpus-count:int,props:CpuInstanceProperties,qom-path:str?"},
    {QMP_OBJECT, "CpuDefinitionInfo",
     "name:str,migration-safe:bool?,static:bool,unavailable-features:[str]?,typename:str,"
     "alias-of:str?,deprecated:bool"},
    {QMP_ENUM, "CpuModelExpansionType", "static|full"},
    {QMP_OBJECT, "CpuModelInfo", "name:str,props:any?"},
    {QMP_OBJECT, "CpuModelExpansionInfo", "model:CpuModelInfo"},

    /* Objects and devices */
    {QMP_OBJECT, "ObjectPropertyInfo", "name:str,type:str,description:str?,default-value:any?"},
    {QMP_OBJECT, "ObjectTypeInfo", "name:str,abstract:bool?,parent:str?"},
    {QMP_ENUM, "ObjectType", NULL, NULL, user_object_type_name},
    {QMP_UNION, "ObjectOptions", "qom-type:ObjectType,id:str",
     "memory-backend-file={size:int,prealloc:bool?,share:bool?,mem-path:str},"
     "memory-backend-memfd={size:int,prealloc:bool?,share:bool?},"
     "memory-backend-ram={size:int,prealloc:bool?,share:bool?},umbra-segments={path:str}"},
    {QMP_ENUM, "BlockdevDriver",
     "bochs|cloop|dmg|file|host_device|nbd|null-aio|null-co|parallels|qcow|qcow2|qed|raw|vdi|"
     "vhdx|vmdk|vpc"},
    {QMP_UNION, "BlockdevOptions",
     "driver:BlockdevDriver,node-name:str?,read-only:bool?,auto-read-only:bool?",
     "bochs={file:BlockdevRef},cloop={file:BlockdevRef},dmg={file:BlockdevRef},"
     "parallels={file:BlockdevRef},qcow={file:BlockdevRef},qcow2={file:BlockdevRef},"
     "qed={file:BlockdevRef},raw={file:BlockdevRef},vdi={file:BlockdevRef},"
     "vhdx={file:BlockdevRef},vmdk={file:BlockdevRef},vpc={file:BlockdevRef},"
     "file={filename:str},host_device={filename:str},nbd={server:SocketAddress}"},
    {QMP_ALTERNATE, "BlockdevRef", "BlockdevOptions|str"},
    {QMP_OBJECT, "PciInfo", "bus:int,devices:[PciDeviceInfo]"},
    {QMP_OBJECT, "PciDeviceInfo",
     "bus:int,slot:int,function:int,class_info:PciDeviceClass,id:PciDeviceId,irq:int?,"
     "irq_pin:int,qdev_id:str,regions:[PciMemoryRegion]"},
    {QMP_OBJECT, "PciDeviceClass", "desc:str?,class:int"},
    {QMP_OBJECT, "PciDeviceId", "device:int,vendor:int,subsystem:int?,subsystem-vendor:int?"},
    {QMP_OBJECT, "PciMemoryRegion",
     "bar:int,type:str,address:int,size:int,prefetch:bool?,mem_type_64:bool?"},
    {QMP_ENUM, "TpmModel", "tpm-tis|tpm-crb"},
    {QMP_ENUM, "TpmType", "passthrough|emulator"},
    {QMP_OBJECT, "TPMInfo", "id:str,model:TpmModel,options:TpmTypeOptions"},
    {QMP_UNION, "TpmTypeOptions", "type:TpmType",
     "passthrough={data:TPMPassthroughOptions},emulator={data:TPMEmulatorOptions}"},
    {QMP_OBJECT, "TPMPassthroughOptions", "path:str?,cancel-path:str?"},
    {QMP_OBJECT, "TPMEmulatorOptions", "chardev:str"},
    {QMP_OBJECT, "RxFilterInfo",
     "name:str,promiscuous:bool,multicast:RxState,unicast:RxState,vlan:RxState,"
     "broadcast-allowed:bool,multicast-overflow:bool,unicast-overflow:bool,main-mac:str,"
     "vlan-table:[int],unicast-table:[str],multicast-table:[str]"},
    {QMP_ENUM, "RxState", "normal|none|all"},
    {QMP_OBJECT, "SGXInfo",
     "sgx:bool,sgx1:bool,sgx2:bool,flc:bool,section-size:int,sections:[SGXEPCSection]"},
    {QMP_OBJECT, "SGXEPCSection", "node:int,size:int"},
    {QMP_OBJECT, "JobInfo",
     "id:str,type:str,status:str,current-progress:int,total-progress:int,error:str?"},

    /* Descriptors and traces */
    {QMP_OBJECT, "AddfdInfo", "fdset-id:int,fd:int"},
    {QMP_OBJECT, "FdsetInfo", "fdset-id:int,fds:[FdsetFdInfo]"},
    {QMP_OBJECT, "FdsetFdInfo", "fd:int,opaque:str?"},
    {QMP_OBJECT, "TraceEventInfo", "name:str,state:TraceEventState,vcpu:bool"},
    {QMP_ENUM, "TraceEventState", "unavailable|disabled|enabled"},

    /* The screen and what a person holds in hand */
    {QMP_ENUM, "ImageFormat", "ppm|png"},
    {QMP_OBJECT, "MouseInfo", "name:str,index:int,current:bool,absolute:bool"},
    {QMP_ENUM, "QKeyCode", NULL, NULL, key_name},
    {QMP_ENUM, "KeyValueKind", "number|qcode"},
    {QMP_UNION, "KeyValue", "type:KeyValueKind", "number={data:int},qcode={data:QKeyCode}"},
    {QMP_ENUM, "InputEventKind", "key|btn|rel|abs"},
    {QMP_UNION, "InputEvent", "type:InputEventKind",
     "key={data:InputKeyEvent},btn={data:InputBtnEvent},rel={data:InputMoveEvent},"
     "abs={data:InputMoveEvent}"},
    {QMP_OBJECT, "InputKeyEvent", "key:KeyValue,down:bool"},
    {QMP_OBJECT, "InputBtnEvent", "button:InputButton,down:bool"},
    {QMP_OBJECT, "InputMoveEvent", "axis:InputAxis,value:int"},
    {QMP_ENUM, "InputButton",
     "left|middle|right|wheel-up|wheel-down|side|extra|wheel-left|wheel-right"},
    {QMP_ENUM, "InputAxis", "x|y"},

    /* Character devices */
    {QMP_OBJECT, "ChardevInfo", "label:str,filename:str,frontend-open:bool"},
    {QMP_OBJECT, "ChardevBackendInfo", "name:str"},
    {QMP_OBJECT, "ChardevReturn", "pty:str?"},
    {QMP_ENUM, "DataFormat", "utf8|base64"},
    {QMP_ENUM, "ChardevBackendKind",
     "file|serial|pipe|socket|udp|pty|null|mux|stdio|vc|ringbuf|memory"},
    {QMP_UNION, "ChardevBackend", "type:ChardevBackendKind",
     "file={data:ChardevFile},serial={data:ChardevHostdev},pipe={data:ChardevHostdev},"
     "socket={data:ChardevSocket},udp={data:ChardevUdp},pty={data:ChardevCommon},"
     "null={data:ChardevCommon},mux={data:ChardevMux},stdio={data:ChardevStdio},"
     "vc={data:ChardevVC},ringbuf={data:ChardevRingbuf},memory={data:ChardevRingbuf}"},
    {QMP_OBJECT, "ChardevCommon", "logfile:str?,logappend:bool?"},
    {QMP_OBJECT, "ChardevFile",
     "logfile:str?,logappend:bool?,in:str?,out:str,append:bool?"},
    {QMP_OBJECT, "ChardevHostdev", "logfile:str?,logappend:bool?,device:str"},
    {QMP_OBJECT, "ChardevSocket",
     "logfile:str?,logappend:bool?,addr:SocketAddressLegacy,server:bool?,wait:bool?,"
     "nodelay:bool?,telnet:bool?,reconnect:int?"},
    {QMP_OBJECT, "ChardevUdp",
     "logfile:str?,logappend:bool?,remote:SocketAddressLegacy,local:SocketAddressLegacy?"},
    {QMP_OBJECT, "ChardevMux", "logfile:str?,logappend:bool?,chardev:str"},
    {QMP_OBJECT, "ChardevStdio", "logfile:str?,logappend:bool?,signal:bool?"},
    {QMP_OBJECT, "ChardevVC",
     "logfile:str?,logappend:bool?,width:int?,height:int?,cols:int?,rows:int?"},
    {QMP_OBJECT, "ChardevRingbuf", "logfile:str?,logappend:bool?,size:int?"},
    {QMP_ENUM, "SocketAddressType", "inet|unix|fd"},
    {QMP_UNION, "SocketAddressLegacy", "type:SocketAddressType",
     "inet={data:InetSocketAddress},unix={data:UnixSocketAddress},fd={data:String}"},
    {QMP_OBJECT, "InetSocketAddress",
     "host:str,port:str,numeric:bool?,to:int?,ipv4:bool?,ipv6:bool?,keep-alive:bool?"},
    {QMP_OBJECT, "UnixSocketAddress", "path:str,abstract:bool?,tight:bool?"},
    {QMP_OBJECT, "String", "str:str"},

    /* Disks */
    {QMP_OBJECT, "BlockInfo",
     "device:str,qdev:str?,type:str,removable:bool,locked:bool,inserted:BlockDeviceInfo?,"
     "tray_open:bool?,io-status:BlockDeviceIoStatus?"},
    {QMP_ENUM, "BlockDeviceIoStatus", "ok|failed|nospace"},
    {QMP_OBJECT, "BlockDeviceInfo",
     "file:str,node-name:str?,ro:bool,drv:str,backing_file:str?,backing_file_depth:int,"
     "encrypted:bool,detect_zeroes:BlockdevDetectZeroesOptions,bps:int,bps_rd:int,"
     "bps_wr:int,iops:int,iops_rd:int,iops_wr:int,image:ImageInfo,"
     "cache:BlockdevCacheInfo,write_threshold:int"},
    {QMP_ENUM, "BlockdevDetectZeroesOptions", "off|on|unmap"},
    {QMP_ENUM, "BlockdevChangeReadOnlyMode", "retain|read-only|read-write"},
    {QMP_ENUM, "IoOperationType", "read|write"},
    {QMP_ENUM, "BlockErrorAction", "ignore|report|stop"},
    {QMP_OBJECT, "BlockdevCacheInfo", "writeback:bool,direct:bool,no-flush:bool"},
    {QMP_OBJECT, "ImageInfo",
     "filename:str,format:str,dirty-flag:bool?,actual-size:int?,virtual-size:int,"
     "cluster-size:int?,encrypted:bool?,compressed:bool?,backing-filename:str?,"
     "full-backing-filename:str?,backing-filename-format:str?"},

    /* Migration */
    {QMP_ENUM, "MigrationStatus",
     "none|setup|cancelling|cancelled|active|postcopy-active|postcopy-paused|"
     "postcopy-recover|completed|failed|colo|pre-switchover|device|wait-unplug"},
    {QMP_ENUM, "MigrationCapability",
     "xbzrle|rdma-pin-all|auto-converge|zero-blocks|compress|events|postcopy-ram|x-colo|"
     "release-ram|block|return-path|pause-before-switchover|multifd|dirty-bitmaps|"
     "postcopy-blocktime|late-block-activate|x-ignore-shared|validate-uuid|"
     "background-snapshot|zero-copy-send|postcopy-preempt"},
    {QMP_OBJECT, "MigrationCapabilityStatus", "capability:MigrationCapability,state:bool"},
    {QMP_ENUM, "MultiFDCompression", "none|zlib|zstd"},
    {QMP_ALTERNATE, "StrOrNull", "str|null"},
    {QMP_OBJECT, "MigrationParameters",
     "announce-initial:int?,announce-max:int?,announce-rounds:int?,"
     "announce-step:int?,compress-level:int?,compress-threads:int?,"
     "compress-wait-thread:bool?,decompress-threads:int?,"
     "throttle-trigger-threshold:int?,cpu-throttle-initial:int?,"
     "cpu-throttle-increment:int?,cpu-throttle-tailslow:bool?,tls-creds:str?,"
     "tls-hostname:str?,tls-authz:str?,max-bandwidth:int?,downtime-limit:int?,"
     "x-checkpoint-delay:int?,block-incremental:bool?,multifd-channels:int?,"
     "xbzrle-cache-size:int?,max-postcopy-bandwidth:int?,max-cpu-throttle:int?,"
     "multifd-compression:MultiFDCompression?,multifd-zlib-level:int?,"
     "multifd-zstd-level:int?"},
    {QMP_OBJECT, "MigrateSetParameters",
     "announce-initial:int?,announce-max:int?,announce-rounds:int?,"
     "announce-step:int?,compress-level:int?,compress-threads:int?,"
     "compress-wait-thread:bool?,decompress-threads:int?,"
     "throttle-trigger-threshold:int?,cpu-throttle-initial:int?,"
     "cpu-throttle-increment:int?,cpu-throttle-tailslow:bool?,tls-creds:StrOrNull?,"
     "tls-hostname:StrOrNull?,tls-authz:StrOrNull?,max-bandwidth:int?,"
     "downtime-limit:int?,x-checkpoint-delay:int?,block-incremental:bool?,"
     "multifd-channels:int?,xbzrle-cache-size:int?,max-postcopy-bandwidth:int?,"
     "max-cpu-throttle:int?,multifd-compression:MultiFDCompression?,"
     "multifd-zlib-level:int?,multifd-zstd-level:int?"},
    {QMP_OBJECT, "MigrationStats",
     "transferred:int,remaining:int,total:int,duplicate:int,skipped:int,normal:int,"
     "normal-bytes:int,dirty-pages-rate:int,mbps:number,dirty-sync-count:int,"
     "postcopy-requests:int,page-size:int,multifd-bytes:int,pages-per-second:int,"
     "precopy-bytes:int,downtime-bytes:int,postcopy-bytes:int,"
     "dirty-sync-missed-zero-copy:int"},
    {QMP_OBJECT, "XBZRLECacheStats",
     "cache-size:int,bytes:int,pages:int,cache-miss:int,cache-miss-rate:number,"
     "encoding-rate:number,overflow:int"},
    {QMP_OBJECT, "CompressionStats",
     "pages:int,busy:int,busy-rate:number,compressed-size:int,compression-rate:number"},
    {QMP_OBJECT, "MigrationInfo",
     "status:MigrationStatus?,ram:MigrationStats?,xbzrle-cache:XBZRLECacheStats?,"
     "total-time:int?,expected-downtime:int?,downtime:int?,setup-time:int?,"
     "cpu-throttle-percentage:int?,error-desc:str?,blocked-reasons:[str]?,"
     "compression:CompressionStats?,socket-address:[SocketAddress]?"},
    {QMP_UNION, "SocketAddress", "type:SocketAddressType",
     "inet=InetSocketAddress,unix=UnixSocketAddress,fd=String"},
    {QMP_ENUM, NULL},
};

const QmpEvent qmp_events[] = {
    {"STOP", ""},
    {"RESUME", ""},
    {"RESET", "guest:bool,reason:ShutdownCause"},
    {"SHUTDOWN", "guest:bool,reason:ShutdownCause"},
    {"POWERDOWN", ""},
    {"SUSPEND", ""},
    {"WAKEUP", ""},
    {"GUEST_PANICKED", "action:GuestPanicAction"},
    {"GUEST_CRASHLOADED", "action:GuestPanicAction"},
    {"WATCHDOG", "action:WatchdogAction"},
    {"DEVICE_DELETED", "device:str?,path:str"},
    {"DEVICE_TRAY_MOVED", "device:str,id:str,tray-open:bool"},
    {"BLOCK_IO_ERROR",
     "device:str,node-name:str?,operation:IoOperationType,action:BlockErrorAction,"
     "nospace:bool?,reason:str"},
    {"DEVICE_UNPLUG_GUEST_ERROR", "device:str?,path:str"},
    {"RTC_CHANGE", "offset:int,qom-path:str"},
    {"MIGRATION", "status:MigrationStatus"},
    {"MIGRATION_PASS", "pass:int"},
    {NULL},
};
/* clang-format on */
