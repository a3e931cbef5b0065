"""Packs a raw disk as an OVA for VMware and VirtualBox.

    ova.py DISK OVA VERSION
"""

import hashlib
import os
import sys
import tarfile
import tempfile

import vmdk

MEMORY_MIB = 2048
CPUS = 2
DISK, DESCRIPTION, MANIFEST = "postern-disk1.vmdk", "postern.ovf", "postern.mf"

OVF = """<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
 xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
 <References>
  <File ovf:id="file1" ovf:href="{disk}" ovf:size="{packed}"/>
 </References>
 <DiskSection>
  <Info>Disks</Info>
  <Disk ovf:diskId="disk1" ovf:fileRef="file1" ovf:capacity="{size}"
   ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>
 </DiskSection>
 <NetworkSection>
  <Info>Networks</Info>
  <Network ovf:name="mail"><Description>Where mail comes from and goes to</Description></Network>
 </NetworkSection>
 <VirtualSystem ovf:id="postern">
  <Info>Postern mail gateway</Info>
  <Name>postern</Name>
  <ProductSection>
   <Info>Product</Info>
   <Product>Postern</Product>
   <Version>{version}</Version>
  </ProductSection>
  <OperatingSystemSection ovf:id="96">
   <Info>Debian 12, 64 bits</Info>
  </OperatingSystemSection>
  <VirtualHardwareSection>
   <Info>Hardware</Info>
   <System>
    <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
    <vssd:InstanceID>0</vssd:InstanceID>
    <vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType>
   </System>
{items}  </VirtualHardwareSection>
 </VirtualSystem>
</Envelope>
"""

# In the order of their names, which the schema asks for.
ITEMS = (
    {"ElementName": f"{CPUS} processors", "InstanceID": 1, "ResourceType": 3,
     "VirtualQuantity": CPUS},
    {"AllocationUnits": "byte * 2^20", "ElementName": f"{MEMORY_MIB} MB", "InstanceID": 2,
     "ResourceType": 4, "VirtualQuantity": MEMORY_MIB},
    {"Address": 0, "ElementName": "SATA controller", "InstanceID": 3,
     "ResourceSubType": "vmware.sata.ahci", "ResourceType": 20},
    {"AddressOnParent": 0, "ElementName": "disk", "HostResource": "ovf:/disk/disk1",
     "InstanceID": 4, "Parent": 3, "ResourceType": 17},
    {"AutomaticAllocation": "true", "Connection": "mail", "ElementName": "network",
     "InstanceID": 5, "ResourceSubType": "E1000", "ResourceType": 10},
)


def item(fields):
    rows = "".join(f"    <rasd:{name}>{value}</rasd:{name}>\n" for name, value in fields.items())
    return f"   <Item>\n{rows}   </Item>\n"


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def main(disk, ova, version):
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(ova))) as folder:
        paths = {name: f"{folder}/{name}" for name in (DESCRIPTION, MANIFEST, DISK)}
        size = vmdk.write(disk, paths[DISK], DISK)
        with open(paths[DESCRIPTION], "w", encoding="utf-8") as file:
            file.write(OVF.format(disk=DISK, packed=os.path.getsize(paths[DISK]), size=size,
                                  version=version, items="".join(map(item, ITEMS))))
        with open(paths[MANIFEST], "w", encoding="utf-8") as file:
            file.writelines(f"SHA256({name})= {sha256(paths[name])}\n"
                            for name in (DESCRIPTION, DISK))
        with tarfile.open(ova, "w", format=tarfile.USTAR_FORMAT) as archive:
            for name, path in paths.items():  # the description has to be the first
                archive.add(path, name)


if __name__ == "__main__":
    main(*sys.argv[1:4])
